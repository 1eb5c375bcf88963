"""Learned codes as targets: the Gumbel product quantiser of wav2vec 2.0."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass
class Quantized:
    """What a quantiser makes of N frames.

    Arguments
    ---------
    vectors : torch.Tensor
        [N, code_size].
    codes : torch.Tensor
        Number of the combination of codes, integers [N].
    perplexity : torch.Tensor
        How many codes are in use, summed over codebooks: of mean
        probabilities while training, of chosen codes else. A scalar.
    """

    vectors: torch.Tensor
    codes: torch.Tensor
    perplexity: torch.Tensor


class GumbelQuantizer(nn.Module):
    """Choose one vector of each of several codebooks (Jang et al., ICLR 2017).

    Parameters have the names of HuggingFace's quantiser.

    Arguments
    ---------
    input_size : int
        Width of a frame.
    codebooks, codes : int
        How many codebooks, and vectors in each.
    code_size : int
        Length of the codebooks' vectors together.

    Raises
    ------
    ValueError
        When `code_size` is not a multiple of `codebooks`.

    Example
    -------
    >>> quantizer = GumbelQuantizer(input_size=8, codes=5, code_size=4)
    >>> quantizer(torch.randn(7, 8), temperature=2.0).vectors.shape
    torch.Size([7, 4])
    """

    def __init__(
        self,
        input_size: int,
        codebooks: int = 2,
        codes: int = 320,
        code_size: int = 256,
    ) -> None:
        super().__init__()
        if code_size % codebooks:
            raise ValueError(
                f"code_size {code_size} cannot be shared by {codebooks} "
                "codebooks: make it a multiple."
            )
        self.codebooks, self.codes = codebooks, codes
        size = (1, codebooks * codes, code_size // codebooks)
        self.codevectors = nn.Parameter(torch.empty(size).uniform_())
        self.weight_proj = nn.Linear(input_size, codebooks * codes)
        nn.init.normal_(self.weight_proj.weight, std=1.0)
        nn.init.zeros_(self.weight_proj.bias)

    def forward(self, x: torch.Tensor, temperature: float) -> Quantized:
        """Quantise.

        Arguments
        ---------
        x : torch.Tensor
            Frames, [N, input_size].
        temperature : float
            Of the Gumbel softmax, while training; else the likeliest codes
            are taken.

        Returns
        -------
        quantized : Quantized
        """
        logits = self.weight_proj(x).float()
        logits = logits.view(len(x), self.codebooks, self.codes)
        if self.training:
            chosen = functional.gumbel_softmax(logits, temperature, hard=True)
            shares = logits.softmax(dim=-1)
        else:
            best = logits.argmax(dim=-1)
            chosen = shares = functional.one_hot(best, self.codes).float()
        books = self.codevectors.view(self.codebooks, self.codes, -1)
        vectors = torch.einsum("ngv,gvd->ngd", chosen.to(books), books)
        mean = shares.mean(dim=0)
        entropy = -torch.special.xlogy(mean, mean).sum(dim=-1)
        place = self.codes ** torch.arange(self.codebooks, device=x.device)
        numbers = (chosen.detach().argmax(dim=-1) * place).sum(dim=-1)
        return Quantized(vectors.flatten(1), numbers, entropy.exp().sum())
