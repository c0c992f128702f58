"""A person's colours after an effect on them, through the product's own kernels."""

from realtime_matte.effects._samples import FrameSamples
from realtime_matte.frame import Alpha, Pixels
from realtime_matte.interfaces import PersonEffect
from realtime_matte.look import Look
from realtime_matte.render.person_look import PersonLook
from realtime_matte.render.upsample import change_foreground


def looked(
    effect: PersonEffect, image: Pixels, alpha: Alpha, background: Pixels | None = None, *, time: float = 0.0
) -> Pixels:
    """The colours of ``image`` after the effect, as they are composited where alpha is 1."""
    look = Look()
    effect.apply(FrameSamples(time, image, alpha, background), look)
    foreground = image.copy()
    everything = slice(None), slice(None)
    change_foreground(foreground, PersonLook((image.shape[1], image.shape[0])).tables(look, foreground, everything))
    return foreground
