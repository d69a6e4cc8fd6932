"""Which saves of a configuration directory are told of, whatever way editors and tools have of saving."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from cordboard.bootstrap.watching import saved_files


class Watch:
    """A directory that is being watched."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.told: set[str] = set()
        self._saves = saved_files(directory)

    async def follow(self) -> None:
        async for paths in self._saves:
            self.told |= {str(path.relative_to(self.directory)) for path in paths}

    async def tells(self, *names: str) -> None:
        """Wait until these have been told of."""
        async with asyncio.timeout(10):
            while not set(names) <= self.told:
                await asyncio.sleep(0.01)


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    for folder in ("flows", "prompts/en", "state"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "flows" / "hello.yaml").write_text("old")
    before = watchers()
    watch = Watch(tmp_path)
    following = asyncio.create_task(watch.follow())
    await until(lambda: watchers() > before)
    yield watch
    following.cancel()
    await asyncio.wait({following})
    await until(lambda: watchers() == before)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.005)


def watchers() -> int:
    """How many inotify descriptors this process has: only then does the kernel note what happens."""
    count = 0
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            count += "inotify" in str(link.readlink())
    return count


def rename_over(file: Path) -> None:
    part = file.with_name("4913")
    part.write_text("new")
    part.rename(file)


def with_backup(file: Path) -> None:
    file.rename(file.with_name(f"{file.name}~"))
    file.write_text("new")


@pytest.mark.parametrize(
    "save", [lambda file: file.write_text("new"), rename_over, with_backup, Path.unlink],
    ids=["written", "renamed over", "with a backup", "removed"],
)  # fmt: skip
async def test_a_save_is_told_of(watch: Watch, save: Callable[[Path], object]) -> None:
    save(watch.directory / "flows" / "hello.yaml")
    await watch.tells("flows/hello.yaml")


async def test_what_nobody_reads_is_not_told_of(watch: Watch) -> None:
    for name in ("flows/.hello.yaml.swp", "flows/hello.yaml~", "flows/#hello.yaml#", "notes.txt", "state/x.yaml",
                 "flows/4913", "prompts/en/hello.txt"):  # fmt: skip
        (watch.directory / name).write_text("something")
    (watch.directory / "numbers.yaml").write_text("default: hello")
    await watch.tells("numbers.yaml")
    assert watch.told == {"numbers.yaml"}


async def test_a_recording_in_a_new_folder_is_told_of(watch: Watch) -> None:
    fresh = watch.directory / "prompts" / "fr" / "support"
    fresh.mkdir(parents=True)
    await watch.tells("prompts/fr", "flows")  # all is watched anew, and looked at once more
    (fresh / "hello.wav").write_text("RIFF")
    await watch.tells("prompts/fr/support/hello.wav")


async def test_flows_that_are_swapped_as_a_whole_are_told_of_and_watched_on(watch: Watch) -> None:
    (watch.directory / "flows").rename(watch.directory / "before")
    (watch.directory / "flows").mkdir()
    await watch.tells("flows", "prompts")
    (watch.directory / "flows" / "hello.yaml").write_text("new")
    await watch.tells("flows/hello.yaml")


async def test_files_that_are_links_into_a_folder_that_is_swapped_are_told_of(watch: Watch) -> None:
    """What Kubernetes does with a mounted ConfigMap."""
    flows = watch.directory / "flows"
    for version in ("..1", "..2"):
        (flows / version).mkdir()
    (flows / "..next").symlink_to("..2")
    (flows / "..next").rename(flows / "..data")
    await watch.tells("flows/..data")
