"""A network that is not believed: what is no alpha is a failure, not a picture."""

from realtime_matte.around import Around
from realtime_matte.errors import ModelError
from realtime_matte.frame import Frame, Matte
from realtime_matte.stages import State

SLACK = 1e-3
"""How far out of [0, 1] an alpha may be by rounding: less than half a step of the compositing."""


class Checked(Around):
    """The same network, raising ModelError for an alpha with a value that is no number, or far out of [0, 1]."""

    def matte(self, frame: Frame, state: State | None) -> tuple[Matte, State]:
        """The coarse matte of exactly this frame."""
        matte, after = self.network.matte(frame, state)
        low, high = float(matte.alpha.min()), float(matte.alpha.max())  # both are NaN if one value is
        if not (low >= -SLACK and high <= 1 + SLACK):
            raise ModelError(f"model {self.name!r} gave {low:g} .. {high:g} for alphas of 0 .. 1; take another --model")
        return matte, after
