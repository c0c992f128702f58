"""Options that can be changed between two frames, their present values, and the model that is in use."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from realtime_matte.effects.chain import option_names
from realtime_matte.errors import MatteError, masked
from realtime_matte.interfaces import OpenBackground
from realtime_matte.models.checked_network import CheckedNetwork
from realtime_matte.pipeline import live_parts
from realtime_matte.pipeline.builder import Choices, Parts
from realtime_matte.pipeline.commands import Command, CommandQueue, Reply, refuse
from realtime_matte.pipeline.governor import Governor
from realtime_matte.pipeline.live_parts import LiveParts
from realtime_matte.pipeline.network_opening import governed_models, network_opener, open_and_try
from realtime_matte.pipeline.power import Mode, PowerSaver
from realtime_matte.pipeline.recovery import OpenNetwork
from realtime_matte.pipeline.slow_changes import SlowChange, SlowChanges
from realtime_matte.stats import Stats


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """The user's choice: a model's spec or an ``open`` callable, and how it is run."""

    model: str | OpenNetwork
    provider: str | None
    threads: int | None


@dataclass(frozen=True, slots=True)
class OpenedNetwork:
    """An open network, and the choice that it was opened for."""

    choice: NetworkChoice
    network: CheckedNetwork

    def close(self) -> None:
        """Close the network, which is no longer needed."""
        self.network.close()


class LiveOptions:
    """Changes the parts of a running pipeline. The pipeline's thread only.

    Args:
        parts: The parts.
        choices: The options they were opened with.
        commands: Other threads pause the camera through it.
        stats: Times and counts of the run.
        notify: Gets each fall-back.
    """

    def __init__(
        self,
        parts: Parts,
        choices: Choices,
        *,
        commands: CommandQueue,
        stats: Stats,
        notify: Callable[[str], None],
    ) -> None:
        config = choices.config
        self._governor = Governor(parts.renderer, notify=notify)
        self._power_saver = PowerSaver(config.power_saver)
        self._parts = parts
        self._stats = stats
        self._notify = notify
        self._networks = SlowChanges[OpenedNetwork](daemon=False)  # ONNX Runtime may crash at the exit of the program
        self._network = NetworkChoice(choices.model, config.provider, config.threads)
        self._only_me = config.only_me
        self._card_text = config.card_text
        self._card_on_doubt = config.card_on_doubt
        self._live_parts = LiveParts(parts, choices, commands=commands, remake=self._remake, notify=notify)
        self._govern()

    @property
    def busy(self) -> bool:
        """True while another camera, or the same one in another mode, is opened."""
        return self._live_parts.busy

    @property
    def values(self) -> Mapping[str, object]:
        """The present value of each of LIVE."""
        model = self._network.model
        return {
            "bg": self._parts.backgrounds.shown,
            "model": masked(model) if isinstance(model, str) else self._parts.renderer.network,
            "provider": self._network.provider,
            "threads": self._network.threads,
            "power_saver": self._power_saver.mode,
            **self._live_parts.values,
            **self._parts.effects.values,
            "only_me": self._only_me,
            "card_text": self._card_text,
            "card_on_doubt": self._card_on_doubt,
        }

    def change(self, command: Command, reply: Reply) -> None:
        """Run a parsed command that sets an option; sets the reply when it is done or refused."""
        if command.key == "bg":
            self._parts.backgrounds.use(cast("str | OpenBackground", command.value), reply)
        elif command.key in {"model", "provider", "threads"}:
            self.use_network({command.key: command.value}, reply)
        elif command.key in live_parts.KEYS:
            self._live_parts.change(command, reply)
        else:
            try:
                self._set(command)
            except MatteError as error:
                refuse(reply, error)
            else:
                reply.set_result(None)

    def use_network(self, changes: Mapping[str, object], reply: Reply) -> None:
        """Open another network beside the present one, and use it when it is open; or keep the present one and refuse.

        Args:
            changes: Fields of NetworkChoice that change.
            reply: Is set when the network is used or refused.
        """

        def begin() -> Callable[[], OpenedNetwork]:
            return partial(self._open, replace(self._network, **changes))  # type: ignore[arg-type]  # parsed

        key = " ".join(changes)
        self._networks.put(
            SlowChange(key=key, begin=begin, use=self._use_chosen, refused=self._report_refused, reply=reply)
        )

    def update(self, *, wait: bool) -> None:
        """Continue what is opened in threads. ``wait``: until all of it is open."""
        self._networks.update(wait=wait)
        self._live_parts.update(wait=wait)

    def govern(self, now: float) -> None:
        """Use a lighter or a heavier model if the time of the stages or the battery asks for it. Called with each step.

        A finite source that is not shown live has all the time that it takes. While a network is opened nothing is
        decided: it may be the user's choice, and opening it takes time from the one that runs.
        """
        if not self._parts.live or self._networks.busy:
            return
        state = self._parts.capture.state
        self._governor.set_saving(now, saving=self._power_saver.is_saving(now))
        self._governor.update(
            now, shown=self._stats.composites, dropped=state.dropped, fps=state.fps, stages=self._stats.medians
        )

    def close(self) -> None:
        """Refuse what is not open yet. Idempotent."""
        self._networks.close()
        self._live_parts.close()

    def _set(self, command: Command) -> None:
        """Set an option that needs nothing opened. Raises SpecError."""
        if command.key == "card_text":
            self._set_card_text(cast("str | None", command.value))
        elif command.key == "card_on_doubt":
            self._card_on_doubt = bool(command.value)
            self._parts.renderer.set_card_on_doubt(card_on_doubt=self._card_on_doubt)
        elif command.key == "power_saver":
            self._power_saver.set_mode(cast("Mode", command.value))
        elif command.key in option_names():
            self._set_effect(command)
        else:
            self._only_me = bool(command.value)
            self._remake()

    def _remake(self) -> None:
        """Make the renderer again, with the same network."""
        size = self._parts.outputs.format.size
        self._parts.renderer.remake(replace(self._parts.renderer_maker, size=size, only_me=self._only_me))

    def _set_effect(self, command: Command) -> None:
        effects = self._parts.effects
        known = set(effects.notices)
        is_other_view = effects.change(command.key, command.value)
        if command.key == "mirror":
            self._parts.fitter.set_mirror(mirror=bool(command.value))
        if is_other_view:
            self._parts.renderer.reset()  # the clean plate and the recurrent state are of another place
        for notice in effects.notices:
            if notice not in known:
                self._notify(notice)

    def _set_card_text(self, text: str | None) -> None:
        self._parts.card.set_text(text)
        self._card_text = text
        for notice in self._parts.card.notices:
            self._notify(notice)

    def _open(self, choice: NetworkChoice) -> OpenedNetwork:
        """The network, open and tried, in a thread. Raises MatteError."""
        open_network = network_opener(choice.model, provider=choice.provider, threads=choice.threads)
        return OpenedNetwork(choice, open_and_try(open_network, self._parts.outputs.format.size))

    def _use_chosen(self, opened: OpenedNetwork) -> None:
        """Use the network that the user chose."""
        self._use_network(opened)
        self._network = opened.choice
        self._govern()

    def _use_network(self, opened: OpenedNetwork) -> None:
        """Use the network for the next frame."""
        choice, load = opened.choice, self._parts.load
        again = network_opener(choice.model, provider=choice.provider, threads=choice.threads, load=load)
        self._parts.renderer.use(opened.network, again)
        self._stats.restart()  # its times are measured alone

    def _report_refused(self, error: MatteError) -> None:
        self._notify(f"the model is unchanged: {error}")

    def _govern(self) -> None:
        """Let the governor choose among the models of ``auto``, unless the user chose one."""
        self._governor.set_models(governed_models(self._network.model), self._use_governed)

    def _use_governed(self, model: str, done: Callable[[bool], None]) -> None:
        """Open a model that the governor chose, and use it. ``done``: called with whether it is used."""
        choice = replace(self._network, model=model)

        def use(opened: OpenedNetwork) -> None:
            self._use_network(opened)
            done(True)  # noqa: FBT003 -- its only argument

        def refused(error: MatteError) -> None:
            self._report_refused(error)
            done(False)  # noqa: FBT003

        begin = partial(partial, self._open, choice)
        self._networks.put(SlowChange(key="governor", begin=begin, use=use, refused=refused, reply=Future()))
