"""Options that can be changed between two frames, their present values, and the model that is in use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from realtime_matte.effects.chain import option_names
from realtime_matte.errors import MatteError, masked
from realtime_matte.interfaces import OpenBackground
from realtime_matte.pipeline import standby
from realtime_matte.pipeline.builder import Choices, Parts
from realtime_matte.pipeline.commands import Command, CommandQueue, Reply, refuse
from realtime_matte.pipeline.governor import Governor
from realtime_matte.pipeline.loading import lighter_models, network_opener
from realtime_matte.pipeline.recovery import OpenNetwork


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """The user's choice: a model's spec or an ``open`` callable, and how it is run."""

    model: str | OpenNetwork
    provider: str | None
    threads: int | None


class LiveOptions:
    """Changes the parts of a running pipeline. The pipeline's thread only.

    Args:
        parts: The parts.
        choices: The options they were opened with.
        commands: Gets the request of a lighter network when the machine is too slow.
        show_card: Sends the standby card with a text, and starts a new shot.
        notify: Gets each fall-back.
    """

    def __init__(
        self,
        parts: Parts,
        choices: Choices,
        *,
        commands: CommandQueue,
        show_card: Callable[[str], None],
        notify: Callable[[str], None],
    ) -> None:
        config = choices.config
        self.governor = Governor(parts.renderer, notify=notify)
        self._parts = parts
        self._commands = commands
        self._show_card = show_card
        self._notify = notify
        self._network = NetworkChoice(choices.model, config.provider, config.threads)
        self._only_me = config.only_me
        self._card_text = config.card_text
        self._card_on_doubt = config.card_on_doubt
        self._govern()

    @property
    def values(self) -> Mapping[str, object]:
        """The present value of each of LIVE."""
        model = self._network.model
        return {
            "bg": self._parts.backgrounds.shown,
            "model": masked(model) if isinstance(model, str) else self._parts.renderer.network,
            "provider": self._network.provider,
            "threads": self._network.threads,
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
        else:
            try:
                self._set(command)
            except MatteError as error:
                refuse(reply, error)
            else:
                reply.set_result(None)

    def use_network(self, changes: Mapping[str, object], reply: Reply) -> None:
        """Open another network, while the standby card is shown, or keep the present one and refuse.

        Args:
            changes: Fields of NetworkChoice that change.
            reply: Is set when the network is open.

        Raises:
            SinkError: of the last output, which shows the card.
        """
        choice = replace(self._network, **changes)  # type: ignore[arg-type]  # parsed
        if error := self._open(choice):
            refuse(reply, error)
            return
        self._network = choice
        self._govern()
        reply.set_result(None)

    def _set(self, command: Command) -> None:
        """Set an option that needs nothing opened. Raises SpecError."""
        if command.key == "card_text":
            self._set_card_text(cast("str | None", command.value))
        elif command.key == "card_on_doubt":
            self._card_on_doubt = bool(command.value)
            self._parts.renderer.set_card_on_doubt(card_on_doubt=self._card_on_doubt)
        elif command.key in option_names():
            self._set_effect(command)
        else:
            self._only_me = bool(command.value)
            self._parts.renderer.remake(self._parts.renderer_maker(only_me=self._only_me))

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

    def _open(self, choice: NetworkChoice) -> MatteError | None:
        """Switch to the network. Returns the error if it cannot be opened, else None."""
        opener = network_opener(choice.model, provider=choice.provider, threads=choice.threads, load=self._parts.load)
        self._show_card(standby.SWITCHING)
        return self._parts.renderer.switch(opener)

    def _govern(self) -> None:
        """Let the governor request lighter models, unless the user chose this one."""
        self.governor.set_models(lighter_models(self._network.model), self._request_lighter)

    def _request_lighter(self, model: str) -> None:
        choice = replace(self._network, model=model)
        self._commands.put(partial(self._use_lighter, choice))

    def _use_lighter(self, choice: NetworkChoice, reply: Reply) -> None:
        self._open(choice)
        reply.set_result(None)
