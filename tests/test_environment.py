"""The three lists of packages agree, and nothing in them names a package index."""

import re
import tomllib

from nxp2lib import paths

CONDA_NAMES = {"ortools-python": "ortools", "flit-core": "flit_core"}
PROJECT = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
LOCK = (paths.ROOT / "requirements.lock").read_text()
ENVIRONMENT = (paths.ROOT / "environment.yml").read_text()


def required() -> list[str]:
    extras = PROJECT["optional-dependencies"]
    return [*PROJECT["dependencies"], *extras["test"], *extras["build"]]


def name(requirement: str) -> str:
    return re.match(r"[\w-]+", requirement).group().lower().replace("_", "-")


def conda() -> dict[str, str]:
    listed = re.findall(r"^  - ([\w-]+)((?:[<>=]=?[\d.]+,?)*)$", ENVIRONMENT.partition("dependencies:")[2], flags=re.M)
    return {name(CONDA_NAMES.get(package, package)): bounds for package, bounds in listed}


def locked() -> dict[str, list[str]]:
    pins: dict[str, list[str]] = {}
    for package, version in re.findall(r"^([\w.-]+)==(\S+)", LOCK, flags=re.M):
        pins.setdefault(name(package), []).append(version)
    return pins


def test_conda_and_pip_ask_for_the_same_packages_and_versions():
    from_project = {name(line): re.sub(r"^[\w-]+", "", line) for line in required()}
    from_conda = {package: bounds for package, bounds in conda().items() if package not in ("python", "pip")}
    assert from_conda == from_project


def test_conda_installs_the_project_in_place_on_the_same_python():
    assert "--editable ." in ENVIRONMENT
    assert conda()["python"] == PROJECT["requires-python"]


def test_the_lock_pins_every_required_package_within_its_bounds():
    from packaging.requirements import Requirement

    pins = locked()
    for line in required():
        requirement = Requirement(line)
        versions = pins[name(line)]
        assert all(requirement.specifier.contains(version) for version in versions), (line, versions)


def test_every_locked_package_has_a_hash():
    blocks = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.M)[1:]
    assert len(blocks) > 50
    assert all("--hash=sha256:" in block for block in blocks)


def test_no_list_of_packages_names_an_index():
    for text in [LOCK, ENVIRONMENT, (paths.ROOT / "pyproject.toml").read_text()]:
        assert not re.search(r"index-url|find-links|https?://[^\s\"]+/(simple|packages)", text)
