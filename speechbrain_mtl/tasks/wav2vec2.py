"""wav2vec 2.0: tell what was hidden from what else the utterance holds."""

import torch
from torch import nn

from speechbrain_mtl.losses import sample_negatives, wav2vec2_contrastive
from speechbrain_mtl.models import Encoded
from speechbrain_mtl.tasks.base import Inputs, Task
from speechbrain_mtl.tasks.quantizer import GumbelQuantizer

SETTLED = 500  # batches after which a collapse is no start any more
FEW = 0.05  # share of all codes in use, below which they are collapsing


class Wav2Vec2Task(Task):
    """Contrastive prediction of quantised hidden frames, and diversity.

    Baevski et al., "wav2vec 2.0" (NeurIPS 2020): for every frame that the
    encoder hid, the last layer must be closer to the frame's own quantised
    latent than to those of other hidden frames of the utterance. The loss is a
    mean over hidden frames plus `diversity_weight` times the share of codes
    that are not in use. The temperature of the Gumbel softmax falls by a
    constant factor an update, from `temperature[0]` to `temperature[1]` in
    `anneal_batches`.

    Parameters have the names of HuggingFace's `Wav2Vec2ForPreTraining`.

    Arguments
    ---------
    input_size : int
        Width of the encoder's last layer.
    latent_size : int
        Width of its latents.
    codebooks, codes, code_size
        See `GumbelQuantizer`.
    project_size : int
        Width in which vectors are compared.
    negatives : int
        Other frames a hidden frame is told from.
    temperature : sequence of float
        Of the Gumbel softmax: at first, and at last.
    anneal_batches : int
        Training batches from first to last; fewer than a run has. Where
        gradients are accumulated there are several in an update.
    similarity_temperature : float
        See `wav2vec2_contrastive`.
    diversity_weight : float
        Of the diversity loss.
    dropout : float
        Of the latents before they are quantised.
    layer : int
        Encoder layer to read, counted as in a list (-1 is the last).

    Raises
    ------
    ValueError
        When temperatures do not fall, or are not positive.

    Example
    -------
    >>> from speechbrain_mtl.models import Wav2Vec2Encoder
    >>> encoder = Wav2Vec2Encoder(32, 2, 2, 64, conv_channels=16)
    >>> wavs, lens = torch.randn(2, 16000), torch.ones(2)
    >>> task = Wav2Vec2Task(32, 16, codes=20, code_size=16, project_size=16)
    >>> task(encoder(wavs, lens), Inputs(wavs, lens)).shape
    torch.Size([])
    """

    predicts_hidden = True

    def __init__(
        self,
        input_size: int,
        latent_size: int,
        codebooks: int = 2,
        codes: int = 320,
        code_size: int = 256,
        project_size: int = 256,
        negatives: int = 100,
        temperature: tuple[float, float] = (2.0, 0.5),
        anneal_batches: int = 100_000,
        similarity_temperature: float = 0.1,
        diversity_weight: float = 0.1,
        dropout: float = 0.1,
        layer: int = -1,
    ) -> None:
        super().__init__()
        first, last = temperature
        if not first >= last > 0:
            raise ValueError(
                f"temperature goes from {first} to {last}: it must fall, and "
                "stay above 0."
            )
        self.first, self.last = float(first), float(last)
        self.anneal_batches = anneal_batches
        self.negatives = negatives
        self.similarity_temperature = similarity_temperature
        self.diversity_weight = diversity_weight
        self.layer = layer
        self.dropout_features = nn.Dropout(dropout)
        self.quantizer = GumbelQuantizer(
            latent_size, codebooks, codes, code_size
        )
        self.project_hid = nn.Linear(input_size, project_size)
        self.project_q = nn.Linear(code_size, project_size)
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))
        self.done = 0  # the buffer's value, known without asking the device
        self.register_load_state_dict_post_hook(_count_on)

    @property
    def temperature(self) -> float:
        """Of the Gumbel softmax, now."""
        share = min(self.done / self.anneal_batches, 1.0)
        return self.first * (self.last / self.first) ** share

    def forward(
        self,
        encoded: Encoded,
        inputs: Inputs,
        negatives: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Contrastive loss, a mean over hidden frames, plus diversity.

        Arguments
        ---------
        encoded : Encoded
            With ``hidden`` and ``latents``.
        inputs : Inputs
            Not looked at.
        negatives : torch.Tensor, optional
            Which hidden frames to tell each one from, counted over the batch,
            integers [N, K]; drawn by default.

        Returns
        -------
        loss : torch.Tensor
            A scalar.

        Raises
        ------
        ValueError
            When the encoder hid nothing.
        """
        if encoded.hidden is None or encoded.latents is None:
            raise ValueError(
                "wav2vec 2.0 predicts hidden frames, and the encoder hid none. "
                "Give it a mask_prob above 0."
            )
        hidden = encoded.hidden
        counts = hidden.sum(dim=1)
        temperature = self.temperature
        latents = self.dropout_features(encoded.latents[hidden])
        quantized = self.quantizer(latents, temperature)
        targets = self.project_q(quantized.vectors)
        predictions = self.project_hid(encoded.layers[self.layer][hidden])
        alone = None
        if negatives is None:
            negatives, alone = sample_negatives(counts, self.negatives)
        losses, hits = wav2vec2_contrastive(
            predictions,
            targets,
            counts,
            negatives,
            self.similarity_temperature,
            quantized.codes,
        )
        weights = torch.ones_like(losses)
        if alone is not None:
            weights = (~alone).to(losses)
        total = weights.sum().clamp(min=1)
        contrastive = (losses * weights).sum() / total
        every = self.quantizer.codebooks * self.quantizer.codes
        diversity = (every - quantized.perplexity) / every
        self.measured = {
            "contrastive": contrastive.detach(),
            "diversity": diversity.detach(),
            "accuracy": ((hits * weights).sum() / total).detach(),
            "perplexity": quantized.perplexity.detach(),
            "temperature": losses.new_full((), temperature),
        }
        if self.training:
            self.done += 1
            self.batches += 1
        return contrastive + self.diversity_weight * diversity

    def advice(self, means: dict[str, float]) -> str | None:
        """Warn of codes that collapse, while there is time.

        Arguments
        ---------
        means : dict
            What was measured lately.

        Returns
        -------
        advice : str or None
        """
        every = self.quantizer.codebooks * self.quantizer.codes
        if self.done < SETTLED or means["perplexity"] > FEW * every:
            return None
        return (
            f"codes collapse: {means['perplexity']:.1f} of {every} are in use "
            f"after {self.done} batches. Raise diversity_weight (it is "
            f"{self.diversity_weight:g}), lower the learning rate or warm it "
            "up for longer; predicting ever fewer codes is easy and teaches "
            "nothing."
        )


def _count_on(task: Wav2Vec2Task, _: object) -> None:
    """Go on counting where a loaded state had come to."""
    task.done = int(task.batches)
