"""The renderer on the CPU: frame -> matte -> refine -> background -> composite."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np

from realtime_matte.effects.auto_frame import WHOLE, Crop
from realtime_matte.effects.chain import Effects
from realtime_matte.errors import SpecError
from realtime_matte.frame import Alpha, Frame, Matte, Pixels, PlateImage, Size
from realtime_matte.interfaces import (
    Area,
    Background,
    FollowsCamera,
    Network,
    PlateNetwork,
    RecurrentState,
    Renderer,
)
from realtime_matte.look import Look
from realtime_matte.media import i420
from realtime_matte.render import (
    area_resize,
    bands,
    box_filter,
    composite_i420,
    convert_i420,
    edge_cells,
    edge_model,
    guided_filter,
    plate_cells,
    plate_colour,
    plate_difference,
    plate_evidence,
    plate_fit,
    plate_light,
    plate_trust,
    temporal,
    upsample,
    weak_regions,
)
from realtime_matte.render.clean_plate import CleanPlate
from realtime_matte.render.composite import composite, pack_bgra
from realtime_matte.render.cropping import Cropper
from realtime_matte.render.first_frames import FirstFrames
from realtime_matte.render.jit import compile_all, is_cacheable, is_ready, load_all, read_only
from realtime_matte.render.person_look import LookTables, PersonLook
from realtime_matte.render.planes_renderer import PlanesRenderer
from realtime_matte.render.refine import CompleteMatte, Refiner
from realtime_matte.render.upsample import change_foreground
from realtime_matte.render.upsampled_matte import UpsampledMatte

KERNELS: Final[Sequence[Callable[..., object]]] = (
    area_resize.resize,
    plate_colour.find_jumps,
    plate_colour.update_plate,
    plate_difference.apply_differences,
    plate_difference.find_differences,
    weak_regions.find_sure,
    weak_regions.find_weak,
    plate_evidence.compare_regions,
    plate_evidence.find_background,
    plate_fit.compare,
    plate_light.update_light,
    plate_trust.find_people,
    plate_trust.spread,
    plate_trust.update_trust,
    plate_cells.segment,
    edge_model.find_spans,
    edge_model.sample,
    edge_model.sample_edge,
    edge_model.find_correction,
    edge_model.apply_correction,
    temporal.update,
    box_filter.find_runs,
    box_filter.average,
    edge_cells.average_alpha,
    edge_cells.find_near,
    edge_cells.find_runs,
    guided_filter.fit_models,
    bands.classify,
    bands.split_bands,
    upsample.upsample_composite,
    upsample.upsample_alpha,
    upsample.upsample_mask,
    upsample.upsample_foreground,
    upsample.upsample_look,
    upsample.change_foreground,
    composite_i420.composite_planes,
    convert_i420.bgr_to_i420,
    composite,
    pack_bgra,
)
"""Every kernel that Python code calls."""

WHOLE_IMAGE: Final[Area] = slice(None), slice(None)


class CpuRenderer:
    """Renders frames of one size with a network and a background that the caller opened and will close.

    ``lap`` is called after each stage with its name: "matte", "refine", "background", "composite". ``effects``:
    those on the person's colours are applied, and the person is shown in the view's area only.
    """

    def __init__(
        self,
        network: Network,
        *,
        size: Size,
        background: Background | None,
        lap: Callable[[str], None] | None = None,
        effects: Effects | None = None,
    ) -> None:
        width, height = size
        self.background = background
        self._network = network
        self._plate_network = network if isinstance(network, PlateNetwork) else None
        self._lap = lap or (lambda _: None)
        self._effects = effects
        self._person_look: PersonLook | None = None  # while effects change the person's colours
        self._look: LookTables | None = None  # of this frame
        self._cropper: Cropper | None = None  # while a part of the frame is shown
        self._refiner = Refiner(size)
        self._state: RecurrentState | None = None
        self._composite = np.zeros((height, width, 3), np.uint8)
        self._bgra: Pixels | None = None
        self._planes: PlanesRenderer | None = None  # from the first I420 frame on
        self._behind: Pixels | None = None  # the background of this frame, which a crop composites later
        self._in_bgr = i420.BgrFrames()  # for a matte that is complete

    @property
    def notices(self) -> Sequence[str]:
        """The network's notices."""
        return self._network.notices

    @property
    def doubt(self) -> str:
        """As ``Renderer.doubt``."""
        return self._refiner.doubt

    @property
    def grid(self) -> Size | None:
        """As ``Renderer.grid``."""
        return self._refiner.grid

    @property
    def covered(self) -> float:
        """As ``Renderer.covered``."""
        return self._refiner.covered

    @property
    def clean_plate(self) -> CleanPlate | None:
        """The clean plate that the network sees; None if it sees none, and before the first frame."""
        sees_plate = self._plate_network is not None and self._plate_network.sees_plate
        return self._refiner.clean_plate if sees_plate else None

    def render(self, frame: Frame) -> Pixels:
        """The frame's foreground over the background."""
        coarse, self._state = self._process(frame)
        self._lap("matte")
        matte = self._refiner.refine(frame, coarse)
        self._lap("refine")
        if frame.pixel_format == "i420" and isinstance(matte, UpsampledMatte):
            return self._over_planes(frame, matte)
        return self._over_background(self._in_bgr(frame), coarse, matte)

    def reset(self) -> None:
        """Start a new shot."""
        self._state = None
        self._refiner.reset()
        if self._effects:
            self._effects.reset()

    def continue_shot(self, previous: Renderer) -> None:
        """Take over the clean plate and the temporal filter of ``previous``; its recurrent state is of its network.

        The clean plate holds colours of the camera, whichever network found them to be background, so edges keep their
        quality. A network with another grid starts without, as ``Refiner`` keeps one grid. FirstFrames has the same
        network, whose state stays.
        """
        if isinstance(previous, CpuRenderer):
            self._refiner = previous._refiner  # noqa: SLF001 -- of the same class
        elif isinstance(previous, FirstFrames):
            self._state = previous.state

    def close(self) -> None:
        """Nothing to close: the network belongs to the caller."""

    def _process(self, frame: Frame) -> tuple[Matte, RecurrentState]:
        """The network's matte; one that sees the clean plate is given that of this shot."""
        if self._plate_network and self._plate_network.sees_plate:
            return self._plate_network.process(frame, self._state, self._refiner)
        return self._network.process(frame, self._state)

    def _over_planes(self, frame: Frame, matte: UpsampledMatte) -> Pixels:
        assert self.background is not None  # noqa: S101 - as Renderer.render requires
        if self._planes is None:
            self._planes = PlanesRenderer(frame.size)
        background = self._planes.background(self.background, frame, matte, check=self._checked)
        self._lap("background")
        image = self._planes.composite(frame, matte, background)
        self._lap("composite")
        return image

    def _crop_of(self, alpha: Alpha, time: float) -> Crop | None:
        """The part of the frame to show; None for all of it. Its buffers are freed when that is turned off."""
        framing = self._effects.framing if self._effects else None
        if framing is None:
            self._cropper = None
            return None
        crop = framing.update(alpha, time)
        return None if crop == WHOLE else crop

    def _over_background(self, frame: Frame, coarse: Matte, matte: UpsampledMatte | CompleteMatte) -> Pixels:
        crop = self._crop_of(coarse.alpha, frame.time)
        background = None
        if self.background is not None:
            background = self._checked(self.background.image(frame, matte))
            self._lap("background")
        self._behind = background
        self._look = self._look_of(frame, coarse, matte)
        image = self._whole(matte, background) if crop is None else self._part(frame, matte, background, crop)
        self._lap("composite")
        return image

    def _whole(self, matte: UpsampledMatte | CompleteMatte, background: Pixels | None) -> Pixels:
        """The composite of the whole frame."""
        image = self._composite_over(matte, background)
        area = self._effects.area if self._effects else None
        if area:
            keep_area(image, background, area)
        return image

    def _part(
        self, frame: Frame, matte: UpsampledMatte | CompleteMatte, background: Pixels | None, crop: Crop
    ) -> Pixels:
        """The composite of a crop. Effects on the person's colours are applied before."""
        assert self._effects  # noqa: S101
        if self._cropper is None:
            self._cropper = Cropper(frame.size)
        compose = partial(self._whole, matte)
        if background is None:
            return self._cropper.with_alpha(compose, matte.alpha, crop, self._effects.area)
        if isinstance(self.background, FollowsCamera):
            return self._cropper.of_camera(compose, background, crop)
        return self._cropper.over(compose, matte.alpha, background, crop, self._effects.area)

    def _composite_over(self, matte: UpsampledMatte | CompleteMatte, background: Pixels | None) -> Pixels:
        """The composite, with the look of this frame."""
        if background is not None:
            matte.over(background, self._composite, self._look)
            return self._composite
        if self._look:
            change_foreground(matte.foreground, self._look)
        pack_bgra(read_only(matte.foreground), matte.alpha, self._bgra_buffer)
        return self._bgra_buffer

    def _look_of(self, frame: Frame, coarse: Matte, matte: UpsampledMatte | CompleteMatte) -> LookTables | None:
        """What effects change of the person's colours; None if nothing. Buffers are freed with the last effect."""
        if self._effects is None or not self._effects.person:
            if self._person_look:
                self._person_look = None
                self._refiner.free_full_size()
            return None
        own = isinstance(self.background, FollowsCamera)  # nothing to fit into: the person is in it already
        pixels = frame.pixels if coarse.guide is None else coarse.guide
        look = self._effects.look(frame.time, pixels, coarse.alpha, None if own else self._behind)
        if look.changes_nothing:
            return None
        if self._person_look is None:
            self._person_look = PersonLook(frame.size)
        if self.background is not None and isinstance(matte, UpsampledMatte):
            return self._person_look.tables(look, frame.pixels, matte.area)
        return self._person_look.tables(look, matte.foreground, WHOLE_IMAGE)

    @property
    def _bgra_buffer(self) -> Pixels:
        if self._bgra is None:
            self._bgra = np.zeros((*self._composite.shape[:2], 4), np.uint8)
        return self._bgra

    def _checked(self, image: object) -> Pixels:
        return check_image(image, (self._composite.shape[1], self._composite.shape[0]))


def check_image(image: object, size: Size) -> Pixels:
    """A background's image, which is the caller's own code if it is a plug-in. Raises SpecError."""
    shape = size[1], size[0], 3
    if not isinstance(image, np.ndarray) or image.shape != shape or image.dtype != np.uint8:
        actual = f"{image.shape} {image.dtype}" if isinstance(image, np.ndarray) else type(image).__name__
        raise SpecError(f"the background's image must be {shape} uint8, not {actual}", hint="correct its image()")
    if not image.flags.c_contiguous:
        raise SpecError("the background's image is not C-contiguous", hint="return np.ascontiguousarray(image)")
    return image


def keep_area(image: Pixels, background: Pixels | None, area: Area) -> None:
    """Show only the background outside ``area``; nothing, with alpha 0, if there is none."""
    rows, columns = area
    outside = (
        (slice(0, rows.start), slice(None)),
        (slice(rows.stop, None), slice(None)),
        (rows, slice(0, columns.start)),
        (rows, slice(columns.stop, None)),
    )
    for part in outside:
        image[part] = 0 if background is None else background[part]


def warm_up() -> str:
    """Compile every kernel before the first frame: seconds once on a machine, milliseconds later.

    Returns:
        A notice for the user if something had to be compiled, otherwise "".
    """
    return compile_all(KERNELS, _run_kernels)


def kernels_are_ready() -> bool:
    """Whether no kernel has to be loaded or compiled any more."""
    return all(map(is_ready, KERNELS))


def can_cache_kernels() -> bool:
    """Whether kernels that another process compiles can be loaded here."""
    return is_cacheable(KERNELS)


def load_kernels() -> bool:
    """Load every kernel that the disk cache has; True if all are ready. Any thread."""
    return load_all(KERNELS, _run_kernels)


def _run_kernels() -> None:
    pixels = np.zeros((32, 32, 3), np.uint8)
    area_resize.AreaResizer((32, 32), (16, 16))(pixels, np.zeros((16, 16, 3), np.uint8))
    refiner = Refiner((32, 32))
    plate = PlateImage(np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8))
    for index in range(4):  # kernels for noise are needed from the second frame on, those for a known plate later
        frame = Frame(pixels + np.uint8(9 * (index % 2)), float(index), index)
        matte = refiner.refine(frame, Matte(np.zeros((16, 16), np.float32)))
        refiner.fit(plate.colours, plate)
        assert refiner.clean_plate  # noqa: S101 - of a coarse alpha
        refiner.clean_plate.trust_frame()  # for the kernels of a calibrated plate
    unsure = np.full((16, 16), 0.5, np.float32)  # for those of areas that differ from it, beside a person
    unsure[:, :5] = 1
    refiner.fit(plate.colours, plate)
    matte = refiner.refine(Frame(pixels + np.uint8(200), 4.0, 4), Matte(unsure))
    matte.over(pixels, pixels.copy())
    assert isinstance(matte, UpsampledMatte)  # noqa: S101 - of a coarse alpha
    matte.mask_background(0.1, np.zeros((16, 16), np.uint8))
    person_look = PersonLook((32, 32))
    tables = person_look.tables(Look(), pixels, WHOLE_IMAGE)
    matte.over(pixels, pixels.copy(), tables)
    change_foreground(pixels.copy(), tables)
    composite(read_only(matte.foreground), matte.alpha, read_only(pixels), np.zeros(96, np.uint16), pixels.copy())
    pack_bgra(read_only(matte.foreground), matte.alpha, np.zeros((32, 32, 4), np.uint8))
    planes = PlanesRenderer((32, 32))
    planes.convert(pixels)
    planes.composite(Frame(i420.empty((32, 32)), 0.0, 0, "i420"), matte, i420.empty((32, 32)))
