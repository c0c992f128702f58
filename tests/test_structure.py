"""The structure of the package: imports go downward only, private modules stay private, files stay small."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import realtime_matte

ROOT = Path(realtime_matte.__file__).parent
MAX_LINES = 450

LAYERS = (
    {"address_space", "errors", "frame", "interfaces", "look", "paths", "stats"},
    {"config", "plugins"},
    {"media", "v4l2"},
    {"pipewire"},
    {"portrait"},
    {"sources", "models", "backgrounds", "effects", "sinks"},
    {"capture", "render"},
    {"pipeline", "remover"},
    {"control", "doctor", "benchmark", "batch"},
    {"panel", "cli"},
)
"""From the lowest: a module imports from its own layer and from those above it in this list."""

LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}
NOT_LAYERED = {"realtime_matte", "realtime_matte.__main__"}
"""The package itself, which imports its public names on use, and ``python -m realtime_matte``."""

MODULES = {
    ".".join(("realtime_matte", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}


def imports(module: str) -> Iterator[str]:
    """The modules of this package that a module imports, also inside functions."""
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("realtime_matte"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("realtime_matte"):
            assert node.module is not None
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in MODULES else node.module


def part(module: str) -> str:
    """The package or module right below ``realtime_matte``."""
    return module.split(".")[1]


IMPORTS = {module: set(imports(module)) for module in MODULES if module not in NOT_LAYERED}


def test_every_part_has_a_layer() -> None:
    assert {part(module) for module in IMPORTS} <= set(LAYER)


@pytest.mark.parametrize("module", IMPORTS)
def test_imports_go_downward(module: str) -> None:
    imported = [name for name in IMPORTS[module] if name != "realtime_matte"]  # for __version__
    assert [name for name in imported if LAYER[part(name)] > LAYER[part(module)]] == []


def test_there_is_no_circle_of_imports() -> None:
    left = {module: {name for name in names if name in IMPORTS} - {module} for module, names in IMPORTS.items()}
    while free := {module for module, names in left.items() if not names & left.keys()}:
        left = {module: names for module, names in left.items() if module not in free}
    assert left == {}, "these import each other"


@pytest.mark.parametrize("module", MODULES)
def test_private_modules_are_imported_in_their_own_package_only(module: str) -> None:
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    private = [name for name in imports(module) if name.rpartition(".")[2].startswith("_")]
    assert [name for name in private if name.rpartition(".")[0] != package] == []


@pytest.mark.parametrize("module", MODULES)
def test_files_stay_small(module: str) -> None:
    assert len(MODULES[module].read_text("utf-8").splitlines()) <= MAX_LINES


def test_all_is_exactly_what_is_public() -> None:
    """What tools read in the ``TYPE_CHECKING`` block, what ``__getattr__`` imports and ``__all__`` are the same."""
    tree = ast.parse(MODULES["realtime_matte"].read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    typed = {
        alias.asname: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    at_run_time = {name: f"realtime_matte.{module}" for name, module in realtime_matte._MODULE_OF.items()}
    assert typed == at_run_time
    assert sorted(realtime_matte.__all__) == sorted(typed)
    assert len(set(realtime_matte.__all__)) == len(realtime_matte.__all__)


def test_every_error_and_every_protocol_is_public() -> None:
    modules = [importlib.import_module(f"realtime_matte.{name}") for name in ("errors", "interfaces")]
    classes = [value for module in modules for value in vars(module).values() if inspect.isclass(value)]
    wanted = {value.__name__ for value in classes if value.__module__ in {module.__name__ for module in modules}}
    assert wanted <= set(realtime_matte.__all__)


def test_public_names_have_documentation() -> None:
    assert [name for name in realtime_matte.__all__ if not inspect.getdoc(getattr(realtime_matte, name))] == []
