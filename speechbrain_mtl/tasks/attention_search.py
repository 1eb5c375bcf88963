"""How an attention decoder's best answer is found."""

from dataclasses import dataclass

import torch
from speechbrain.decoders.scorer import (
    CoverageScorer,
    CTCScorer,
    RNNLMScorer,
    ScorerBuilder,
)
from speechbrain.decoders.seq2seq import (
    S2SRNNBeamSearcher,
    S2SRNNGreedySearcher,
)
from torch import nn

from speechbrain_mtl.tasks.tokens import BLANK


class _Capped:
    """Searches up to a number of tokens of its own.

    SpeechBrain's limit is a share of the padded frames, so that an answer
    would depend on what else is in the batch. CTC's scorer cannot go beyond
    all frames, where nothing could be an answer any more.
    """

    steps: int

    def change_max_decoding_length(
        self, low: int, high: int
    ) -> tuple[int, int]:
        """Give the fewest and the most steps; `high` is the frames."""
        return 0, min(self.steps, high + 1) if self.ctc_weight else self.steps


class _Greedy(_Capped, S2SRNNGreedySearcher):
    ctc_weight = 0.0


class _Beam(_Capped, S2SRNNBeamSearcher):
    """Ends an answer that has as many tokens as frames, where CTC counts.

    Else it would go on, by differences of nothing, to the longest item's end.
    """

    def reset_mem(self, batch_size: int, device: torch.device) -> tuple:
        """Begin anew."""
        self.step = 0
        return super().reset_mem(batch_size, device)

    def forward_step(
        self,
        inp_tokens: torch.Tensor,
        memory: tuple,
        enc_states: torch.Tensor,
        enc_lens: torch.Tensor,
    ) -> tuple:
        """Give the tokens' log-probabilities, memory and attention."""
        log_probs, memory, attention = super().forward_step(
            inp_tokens, memory, enc_states, enc_lens
        )
        if self.ctc_weight:
            ended = (self.step >= enc_lens)[:, None].expand_as(log_probs)
            ended = ended.clone()
            ended[:, self.eos_index] = False
            log_probs = log_probs.masked_fill(ended, self.minus_inf)
        self.step += 1
        return log_probs, memory, attention


@dataclass
class AttentionSearch:
    """Settings of the search, those of the paper but for the beam.

    Arguments
    ---------
    beam_size : int
        Answers followed at once; the paper has 60.
    ctc_weight : float
        Share of CTC's prefix score; the rest is attention's.
    coverage : float
        Weight of the penalty for frames that are looked at again.
    temperature : float
        Of the decoder's distribution.
    max_shift : int, optional
        Frames that attention may jump; None for any.
    lm_weight : float
        Weight of the language model, where there is one.
    lm_temperature : float
        Of its distribution.

    Raises
    ------
    ValueError
        When CTC's share is outside [0, 1), or the beam is empty.
    """

    beam_size: int = 8
    ctc_weight: float = 0.0
    coverage: float = 1.5
    temperature: float = 1.25
    max_shift: int | None = 240
    lm_weight: float = 0.5
    lm_temperature: float = 1.25

    def __post_init__(self) -> None:
        if not 0 <= self.ctc_weight < 1 or self.beam_size < 1:
            raise ValueError(
                f"beam_size is {self.beam_size}, ctc_weight {self.ctc_weight}: "
                "give 1 or more, and from 0 to below 1"
            )

    def greedy(
        self, parts: dict[str, nn.Module], bos: int, steps: int
    ) -> nn.Module:
        """Make a search that takes the likeliest token each time.

        Arguments
        ---------
        parts : dict
            ``embedding``, ``decoder`` and ``linear``.
        bos : int
            Token before the first; the one after the last is ``bos + 1``.
        steps : int
            Tokens an answer, at most.
        """
        searcher = _Greedy(**parts, **_marks(bos))
        searcher.steps = steps
        return searcher

    def beam(
        self,
        parts: dict[str, nn.Module],
        bos: int,
        steps: int,
        ctc: nn.Module,
        language_model: nn.Module | None = None,
    ) -> nn.Module:
        """Make a beam search.

        Arguments
        ---------
        parts, bos, steps
            As for `greedy`.
        ctc : torch.nn.Module
            Frames to scores of the same tokens.
        language_model : torch.nn.Module, optional
            SpeechBrain's RNNLM over the same tokens.
        """
        scorers, weights = [], {}
        if self.coverage:
            scorers.append(CoverageScorer(bos + 2))
            weights["coverage"] = self.coverage
        if language_model is not None:
            scorers.append(RNNLMScorer(language_model, self.lm_temperature))
            weights["rnnlm"] = self.lm_weight
        if self.ctc_weight:
            scorers.append(CTCScorer(ctc, BLANK, bos + 1))
            weights["ctc"] = self.ctc_weight
        searcher = _Beam(
            **parts,
            **_marks(bos),
            beam_size=self.beam_size,
            temperature=self.temperature,
            using_max_attn_shift=self.max_shift is not None,
            max_attn_shift=self.max_shift or 0,
            scorer=ScorerBuilder(weights=weights, full_scorers=scorers),
        )
        searcher.steps = steps
        return searcher


def _marks(bos: int) -> dict[str, int]:
    return {
        "bos_index": bos,
        "eos_index": bos + 1,
        "min_decode_ratio": 0,
        "max_decode_ratio": 1,
    }


@torch.no_grad()
def found_tokens(
    searcher: nn.Module, frames: torch.Tensor, lens: torch.Tensor
) -> list[list[int]]:
    """Search a batch.

    Arguments
    ---------
    searcher : torch.nn.Module
        Of `AttentionSearch`.
    frames : torch.Tensor
        [B, F, D].
    lens : torch.Tensor
        Valid frames, [B].

    Returns
    -------
    tokens : list of list of int
        One an item; marks may be among them.
    """
    # CTC's scorer cannot do with frames that are padding in every item.
    frames = frames[:, : int(lens.max())]
    hyps, *_ = searcher(frames, lens / frames.shape[1])
    return hyps
