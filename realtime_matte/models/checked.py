"""A network that is not believed: what is no alpha is a failure, not a picture."""

from realtime_matte.errors import ModelError
from realtime_matte.frame import Frame, Matte
from realtime_matte.interfaces import RecurrentState
from realtime_matte.models.around import Around

SLACK = 1e-3
"""How far out of [0, 1] an alpha may be by rounding: less than half a step of the compositing."""


class Checked(Around):
    """The same network, raising ModelError for an alpha with a value that is no number, or far out of [0, 1]."""

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        """The coarse matte of exactly this frame."""
        matte, after = self.network.process(frame, state)
        low, high = float(matte.alpha.min()), float(matte.alpha.max())  # both are NaN if one value is
        if not (low >= -SLACK and high <= 1 + SLACK):
            raise ModelError(
                f"model {self.name!r} gave {low:g} .. {high:g} for alphas of 0 .. 1", hint="take another --model"
            )
        return matte, after
