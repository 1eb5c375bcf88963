"""Self-training: learn to transcribe from one's own confident transcripts."""

import torch
from torch.nn import functional

from speechbrain_mtl.models import Encoded, frame_mask
from speechbrain_mtl.tasks.base import Inputs, Task
from speechbrain_mtl.tasks.ctc import ctc_per_label
from speechbrain_mtl.tasks.tokens import BLANK

SETTLED = 100  # batches after the warm-up before anything is advised
FEW, MOST = 0.01, 0.99  # shares below and above which a threshold is no use


class SelfTraining(Task):
    """Train a CTC task on what it says of unlabelled speech, where it is sure.

    In every step the model as it is transcribes the step's own unlabelled
    utterances along the best path, in eval mode and without gradient; those
    it is surer of than `threshold` are trained on at once, with all that
    hides and drops in training, such as SpecAugment. The others do not count.
    Labels are made anew in every step, as in "Semi-supervised ASR by
    End-to-End Self-Training" (Chen et al., Interspeech 2020),
    https://arxiv.org/abs/2001.09128; the confidence is that of
    "Self-Training for End-to-End Speech Recognition" (Kahn et al., ICASSP
    2020), https://arxiv.org/abs/1909.09116: the log-likelihood of the
    transcript a label, here as a probability. An utterance in which nothing
    is heard counts for nothing: else blanks would teach blanks.

    It has no weights: it trains the head of the task that it names. Use it in
    `train_jointly`, with parts ``train`` and ``valid`` of its own. It costs a
    second forward of its utterances where the encoder is trained.

    Where nothing is sure the loss is 0: weightings that go by the size of
    losses would take it for learnt. Weigh it by fixed weights.

    Arguments
    ---------
    teacher : str
        Name of the `CTCTask`, of the same run.
    threshold : float
        Confidence above which a transcript counts, from 0 to below 1.
    warmup_batches : int
        Training batches of this task before the first counts; where gradients
        are accumulated there are several in an update.

    Raises
    ------
    ValueError
        When the threshold or the warm-up cannot be.

    Example
    -------
    >>> from speechbrain_mtl.tasks import CTCTask
    >>> from speechbrain_mtl.tasks.base import Teaching
    >>> from speechbrain_mtl.tasks.tokens import LabelTokens
    >>> asr = CTCTask(LabelTokens("phones"), hidden_size=4)
    >>> asr.prepare((3,), {"u1": {"phones": ["s", "ow"]}})
    >>> encoded = Encoded((torch.randn(1, 6, 3),), torch.tensor([6]), 0.02, 0.0)
    >>> teaching = Teaching(asr, *asr.log_probs(encoded))
    >>> task = SelfTraining("asr", threshold=0.0)
    >>> task(encoded, Inputs(None, None, teaching=teaching)).shape
    torch.Size([])
    """

    def __init__(
        self, teacher: str, threshold: float = 0.9, warmup_batches: int = 0
    ) -> None:
        super().__init__()
        if not 0 <= threshold < 1 or warmup_batches < 0:
            raise ValueError(
                f"threshold {threshold}, warmup_batches {warmup_batches}: give "
                "a threshold from 0 to below 1, and a warm-up of 0 or more"
            )
        self.teacher = teacher
        self.threshold = threshold
        self.warmup_batches = warmup_batches
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))
        self.done = 0  # the buffer's value, known without asking the device
        self.register_load_state_dict_post_hook(_count_on)

    def forward(self, encoded: Encoded, inputs: Inputs) -> torch.Tensor:
        """CTC of the model's own transcripts, a mean over their labels.

        Arguments
        ---------
        encoded : Encoded
            As the encoder sees the utterances in training.
        inputs : Inputs
            With ``teaching``.

        Returns
        -------
        loss : torch.Tensor
            A scalar; 0 where no transcript is sure enough.

        Raises
        ------
        ValueError
            Where no teacher is at hand.
        """
        teaching = inputs.teaching
        if teaching is None:
            raise ValueError(
                f"self-training needs the task '{self.teacher}' beside it: "
                "train both by train_jointly"
            )
        labels, label_lens = best_path(teaching.log_probs, teaching.lens)
        confidence = label_confidence(
            teaching.log_probs, teaching.lens, labels, label_lens
        )
        used = confidence > self.threshold
        if self.training and self.done < self.warmup_batches:
            used = torch.zeros_like(used)
        log_probs, lens = teaching.task.log_probs(encoded)
        loss, _ = ctc_per_label(log_probs, lens, labels, label_lens, used)
        self.measured = {
            "share": used.float().mean(),
            "confidence": confidence.mean(),
        }
        if self.training:
            self.done += 1
            self.batches += 1
        return loss

    def advice(self, means: dict[str, float]) -> str | None:
        """Warn of a threshold that nothing passes, or everything.

        Arguments
        ---------
        means : dict
            What was measured lately.

        Returns
        -------
        advice : str or None
        """
        if self.done < self.warmup_batches + SETTLED or "share" not in means:
            return None
        seen = (
            f"threshold {self.threshold:g}, mean confidence "
            f"{means['confidence']:.2f}"
        )
        if means["share"] < FEW:
            return (
                f"hardly a transcript is sure enough to be trained on ({seen})."
                f" Lower the threshold, or train '{self.teacher}' for longer"
            )
        if means["share"] > MOST:
            return (
                f"every transcript is trained on ({seen}): the threshold sorts "
                "nothing out. Raise it, unless the validation error of "
                f"'{self.teacher}' goes on falling"
            )
        return None


def best_path(
    log_probs: torch.Tensor, lens: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Decode CTC outputs along the best path, without leaving the device.

    Arguments
    ---------
    log_probs : torch.Tensor
        [B, F, V], blank first.
    lens : torch.Tensor
        Valid frames, [B].

    Returns
    -------
    labels : torch.Tensor
        [B, F], 0 behind the last label of each item.
    label_lens : torch.Tensor
        Labels of each item, [B].

    Example
    -------
    >>> path = torch.tensor([[1, 1, 2, 0, 2, 3]])
    >>> best_path(functional.one_hot(path, 4), torch.tensor([5]))
    (tensor([[1, 2, 2, 0, 0, 0]]), tensor([3]))
    """
    best = log_probs.argmax(dim=-1)
    before = functional.pad(best, (1, 0), value=BLANK)[:, :-1]
    kept = frame_mask(lens, best.shape[1]) & (best != BLANK) & (best != before)
    # What is not kept goes to a column of its own, which is cut off.
    place = torch.where(kept, kept.cumsum(dim=1) - 1, best.shape[1])
    labels = functional.pad(torch.zeros_like(best), (0, 1))
    return labels.scatter(1, place, best)[:, :-1], kept.sum(dim=1)


def label_confidence(
    log_probs: torch.Tensor,
    lens: torch.Tensor,
    labels: torch.Tensor,
    label_lens: torch.Tensor,
) -> torch.Tensor:
    """Geometric mean over labels of a transcript's probability by CTC.

    Arguments
    ---------
    log_probs : torch.Tensor
        [B, F, V], blank first.
    lens : torch.Tensor
        Valid frames, [B].
    labels : torch.Tensor
        [B, N], no more than fit into the frames.
    label_lens : torch.Tensor
        Labels of each item, [B].

    Returns
    -------
    confidence : torch.Tensor
        From 0 to 1, [B]; 0 without labels.

    Example
    -------
    >>> log_probs = torch.tensor([[[0.5, 0.5], [0.5, 0.5]]]).log()
    >>> labels, one = torch.tensor([[1]]), torch.tensor([1])
    >>> label_confidence(log_probs, torch.tensor([2]), labels, one)
    tensor([0.7500])
    """
    losses = functional.ctc_loss(
        log_probs.float().transpose(0, 1),
        labels,
        lens,
        label_lens,
        blank=BLANK,
        reduction="none",
    )
    found = (-losses / label_lens.clamp(min=1)).exp()
    return found.masked_fill(label_lens == 0, 0.0)


def _count_on(task: SelfTraining, _: object) -> None:
    """Go on counting where a loaded state had come to."""
    task.done = int(task.batches)
