"""CUDA pictures reach their textures, shown on a machine without CUDA by one that plays its part.

The stand-in keeps "device memory" in main memory and copies where CUDA would, so that pixels can be looked at; what it
cannot play is time: nothing in it runs beside anything else.
"""

import ctypes
import gc
import logging
from collections.abc import Iterator
from contextlib import nullcontext
from enum import IntEnum
from types import SimpleNamespace

import moderngl
import numpy as np
import pytest
import torch
from torch import Tensor

from easel.gl.context import open_headless
from easel.gl.cuda import Cuda, Interop, InteropError, Producer, interop_of
from easel.gl.texture import PictureTexture

DEVICE = torch.device("cpu")
"""Plays the GPU; it has no number, and so the driver's answer is [None]."""


Error = IntEnum("Error", {"cudaSuccess": 0, "cudaErrorUnknown": 999})


class Event:
    """Something on its way, until it is waited for."""

    def __init__(self) -> None:
        self.arrived = False

    def query(self) -> bool:
        return self.arrived

    def synchronize(self) -> None:
        self.arrived = True


class Stream:
    """Remembers what it was told to wait for."""

    def __init__(self, number: int) -> None:
        self.cuda_stream = number
        self.recorded: list[Event] = []
        self.waited: list[Event] = []

    def record_event(self) -> Event:
        self.recorded.append(Event())
        return self.recorded[-1]

    def wait_event(self, event: Event) -> None:
        self.waited.append(event)


class Machine(Cuda):
    """A machine with one GPU, that CUDA and OpenGL share unless told otherwise."""

    cudaGLDeviceList = SimpleNamespace(cudaGLDeviceListAll=1)  # noqa: N815  CUDA's own name
    cudaMemcpyKind = SimpleNamespace(cudaMemcpyDeviceToDevice="inside")  # noqa: N815

    def __init__(self, context: moderngl.Context) -> None:
        self.context = context
        self.calls: list[str] = []
        self.failing: set[str] = set()
        self.drawing_devices: list[int | None] = [None]
        self.current = Stream(7)
        self.moves = False
        self._memory: dict[int, np.ndarray] = {}
        self._buffers: dict[int, moderngl.Buffer] = {}
        self._textures: dict[int, moderngl.Texture] = {}

    # What torch knows

    def runtime(self) -> "Machine":
        return self

    def holds(self, tensor: Tensor) -> bool:
        return True

    def device(self, device: torch.device) -> nullcontext:
        return nullcontext()

    def stream(self, device: torch.device) -> Stream:
        return self.current

    def pinned(self, like: Tensor) -> Tensor:
        self.calls.append("pinned")
        return torch.empty_like(like, memory_format=torch.contiguous_format)

    def wrap(self, memory, device: torch.device) -> Tensor:
        told = memory.__cuda_array_interface__
        holder = SimpleNamespace(__array_interface__=told, memory=memory)
        return torch.from_numpy(np.asarray(holder))

    # What OpenGL makes, and the machine must know to write into it

    @property
    def info(self) -> dict:
        return self.context.info

    def buffer(self, reserve: int) -> moderngl.Buffer:
        made = self.context.buffer(reserve=reserve)
        self._buffers[made.glo] = made
        return made

    def texture(self, *arguments, **settings) -> moderngl.Texture:
        made = self.context.texture(*arguments, **settings)
        self._textures[made.glo] = made
        return made

    # CUDA's runtime

    def cudaGLGetDevices(self, most: int, which: int) -> tuple:  # noqa: N802
        return self._did("devices", len(self.drawing_devices), self.drawing_devices)

    def cudaGraphicsGLRegisterImage(self, name: int, target: int, flags: int) -> tuple:  # noqa: N802
        return self._did("register", name)

    def cudaGraphicsGLRegisterBuffer(self, name: int, flags: int) -> tuple:  # noqa: N802
        self._memory[name] = np.zeros(self._buffers[name].size, np.uint8)
        return self._did("register buffer", name)

    def cudaGraphicsMapResources(self, count: int, resource: int, stream: int) -> tuple:  # noqa: N802
        return self._did("map")

    def cudaGraphicsUnmapResources(self, count: int, resource: int, stream: int) -> tuple:  # noqa: N802
        if resource in self._memory:
            self._buffers[resource].write(self._memory[resource])
        return self._did("unmap")

    def cudaGraphicsSubResourceGetMappedArray(self, resource: int, index: int, level: int) -> tuple:  # noqa: N802
        return self._did("array", resource)

    def cudaGraphicsResourceGetMappedPointer(self, resource: int) -> tuple:  # noqa: N802
        if self.moves:
            self._memory[resource] = self._memory[resource].copy()
        return self._did("pointer", self._memory[resource].ctypes.data, self._memory[resource].nbytes)

    def cudaMemcpy2DToArrayAsync(  # noqa: N802
        self, array: int, x: int, y: int, pointer: int, pitch: int, width: int, height: int, kind: str, stream: int
    ) -> tuple:
        assert (x, y, kind, stream, pitch) == (0, 0, "inside", self.current.cuda_stream, width)
        self._textures[array].write(ctypes.string_at(pointer, width * height))
        return self._did("copy")

    def cudaGraphicsUnregisterResource(self, resource: int) -> tuple:  # noqa: N802
        return self._did("unregister")

    def _did(self, what: str, *values: object) -> tuple:
        self.calls.append(what)
        return Error.cudaErrorUnknown if what in self.failing else Error.cudaSuccess, *values


@pytest.fixture
def context(gl: None) -> Iterator[moderngl.Context]:
    context = open_headless()
    with context:
        yield context
    context.release()


@pytest.fixture
def machine(context: moderngl.Context) -> Machine:
    return Machine(context)


@pytest.fixture
def interop(machine: Machine) -> Interop:
    return Interop(machine, machine)  # its context as well as its CUDA


@pytest.fixture
def picture_texture(machine: Machine, interop: Interop) -> Iterator[PictureTexture]:
    texture = PictureTexture(machine, interop)
    yield texture
    texture.release()


def noise(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 5) -> Tensor:
    return (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 255).to(torch.uint8).to(dtype)


def content(texture: moderngl.Texture) -> Tensor:
    """What a texture holds, alpha included where it has one."""
    kind = {"f4": np.float32, "f2": np.float16, "f1": np.uint8}[texture.dtype]
    values = np.frombuffer(texture.read(alignment=1), kind).reshape(texture.height, texture.width, texture.components)
    return torch.from_numpy(values.copy())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.uint8])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_picture_is_copied_from_device_to_device(picture_texture, machine, channels, dtype) -> None:
    picture = noise(5, 7, channels, dtype=dtype)
    texture = picture_texture.upload(picture)
    assert content(texture)[..., :channels].equal(picture)
    assert machine.calls == ["devices", "register", "map", "array", "copy", "unmap"]
    assert picture_texture.path == "cuda-array"
    # Three channels travel as four: CUDA cannot register such textures.
    assert picture_texture.moved_bytes == 5 * 7 * (4 if channels == 3 else channels) * dtype.itemsize


def test_a_texture_is_registered_once_and_unregistered_before_it_goes(picture_texture, machine) -> None:
    for seed in range(3):
        picture = noise(4, 4, 3, seed=seed).transpose(0, 1)  # strided, too
        assert content(picture_texture.upload(picture))[..., :3].equal(picture)
    picture_texture.upload(noise(4, 5, 3))
    assert [call for call in machine.calls if "register" in call] == ["register", "unregister", "register"]
    picture_texture.release()
    assert machine.calls[-1] == "unregister"


def test_one_buffer_widens_every_picture_and_keeps_no_graph(picture_texture) -> None:
    weights = torch.ones(3, requires_grad=True)
    buffers = []
    for seed in range(2):
        picture_texture.upload(noise(4, 4, 3, seed=seed) * weights)
        buffers.append(picture_texture._cuda_copy._wide)
    assert buffers[0] is buffers[1]
    assert buffers[0].shape == (4, 4, 4) and not buffers[0].requires_grad


@pytest.mark.parametrize("failing", ["devices", "register", "map", "array", "copy", "unmap"])
def test_whatever_fails_the_picture_comes_through_main_memory(picture_texture, machine, failing, caplog) -> None:
    caplog.set_level(logging.DEBUG, "easel")
    machine.failing = {failing}
    for seed in range(3):
        picture = noise(5, 7, 3, seed=seed)
        assert content(picture_texture.upload(picture)).equal(picture)
        assert (picture_texture.path, picture_texture.moved_bytes) == ("cuda-host", picture.nbytes)
    assert machine.calls.count("pinned") == machine.calls.count("devices") == 1
    if failing in ("array", "copy"):
        assert "unmap" in machine.calls, "what was mapped must be given back to OpenGL"
    assert len([line for line in caplog.messages if "main memory" in line]) == 1


@pytest.mark.parametrize("devices", [[], [0, 1]])
def test_where_another_device_draws_it_comes_through_main_memory(picture_texture, machine, devices) -> None:
    machine.drawing_devices = devices
    picture = noise(5, 7, 1)
    assert content(picture_texture.upload(picture)).equal(picture)
    assert picture_texture.path == "cuda-host" and "register" not in machine.calls


def test_a_texture_that_is_filled_in_another_way_is_cuda_s_no_longer(picture_texture, machine, interop) -> None:
    picture_texture.upload(noise(5, 7, 1))
    interop.give_up(InteropError("as for a tensor of another device"))
    picture = noise(5, 7, 1, seed=6)
    assert content(picture_texture.upload(picture)).equal(picture)
    assert picture_texture.path == "cuda-host" and machine.calls.count("unregister") == 1


def test_without_cuda_bindings_it_comes_through_main_memory(picture_texture, machine, monkeypatch) -> None:
    def runtime() -> None:
        raise InteropError("no cuda-bindings")

    monkeypatch.setattr(machine, "runtime", runtime)
    picture_texture.upload(noise(5, 7, 1))
    assert picture_texture.path == "cuda-host"


def test_the_real_runtime_says_no_on_a_machine_without_cuda(context) -> None:
    pytest.importorskip("cuda.bindings", reason="cuda-bindings is not installed")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")

    class NoGPU(Cuda):
        def device(self, device: torch.device) -> nullcontext:
            return nullcontext()

    interop = Interop(context, NoGPU())
    assert not interop.reaches(torch.device("cuda", 0))
    with pytest.raises(InteropError, match="cudaGraphicsGLRegisterImage: cudaError"):
        interop.call("cudaGraphicsGLRegisterImage", 1, 0x0DE1, 2)


def test_through_main_memory_pictures_come_one_late_and_nobody_waits(picture_texture, machine) -> None:
    machine.drawing_devices = []
    pictures = [noise(4, 4, 3, seed=seed) for seed in range(4)]
    assert content(picture_texture.upload(pictures[0], late=True)).equal(pictures[0])  # there was none before
    picture_texture.upload(pictures[1], late=True)
    on_its_way = machine.current.recorded[-1]
    assert not on_its_way.arrived
    assert content(picture_texture.upload(pictures[2], late=True)).equal(pictures[0])  # not arrived: nothing moves
    assert picture_texture.moved_bytes == 0
    on_its_way.arrived = True
    assert content(picture_texture.upload(pictures[2], late=True)).equal(pictures[1])
    assert content(picture_texture.upload(pictures[3])).equal(pictures[3])  # asked for now, it is waited for


def test_a_shared_tensor_is_drawn_from_its_own_memory(picture_texture, interop, machine) -> None:
    tensor = interop.share(6, 5, 3, DEVICE)
    assert tensor.shape == (6, 5, 3) and not tensor.any()
    tensor[2, 3] = 0.5
    machine.calls.clear()
    assert content(picture_texture.upload(tensor)).equal(tensor)
    assert machine.calls == ["unmap", "map", "pointer"]
    assert (picture_texture.path, picture_texture.moved_bytes) == ("cuda-buffer", tensor.nbytes)
    picture_texture.upload(tensor[1:])  # a part of it is a picture like any other
    assert picture_texture.path == "cuda-array"


def test_a_shared_tensor_keeps_its_memory_and_gives_it_back(picture_texture, interop, machine) -> None:
    tensor = interop.share(6, 5, 3, DEVICE)
    part = tensor[1:]
    del tensor
    gc.collect()
    assert interop.lends_memory
    part.fill_(0.25)
    machine.calls.clear()
    del part
    gc.collect()
    assert machine.calls == []  # the program may drop it anywhere, also where no context is current
    assert not interop.lends_memory
    assert machine.calls == ["unmap", "unregister"]


@pytest.mark.parametrize("failing", ["devices", "register buffer", "map", "pointer"])
def test_what_cannot_be_shared_is_left_to_an_ordinary_tensor(interop, machine, failing) -> None:
    machine.failing = {failing}
    assert interop.share(6, 5, 3, DEVICE) is None
    assert not interop.lends_memory


def test_memory_that_moves_is_told_at_once(picture_texture, interop, machine) -> None:
    tensor = interop.share(6, 5, 3, DEVICE)
    machine.moves = True
    with pytest.raises(RuntimeError, match="has moved a shared tensor's memory"):
        picture_texture.upload(tensor)


def test_a_picture_waits_for_the_stream_that_writes_it_and_that_one_for_the_reader(machine) -> None:
    writer, reader = machine.current, Stream(8)
    producer = Producer(noise(2, 2, 1), machine)
    producer.wait()
    assert not writer.recorded  # on one stream everything is in order by itself
    machine.current = reader
    producer.wait()
    assert reader.waited == writer.recorded and len(reader.waited) == 1
    producer.resume()
    assert writer.waited == reader.recorded and len(writer.waited) == 1


def test_tensors_of_the_cpu_have_no_stream() -> None:
    producer = Producer(noise(2, 2, 1))
    producer.wait()
    producer.resume()


def test_a_context_has_one_interop_that_ends_with_it(context) -> None:
    assert interop_of(context) is interop_of(context)


@pytest.mark.cuda
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.uint8])
def test_on_a_gpu_the_texture_holds_the_tensor(context, channels, dtype) -> None:
    texture = PictureTexture(context)
    for seed in range(2):
        picture = noise(37, 53, channels, dtype=dtype, seed=seed).cuda()
        uploaded = content(texture.upload(picture))
        assert uploaded[..., :channels].equal(picture.cpu()), texture.path
    assert texture.path in ("cuda-array", "cuda-host")
    texture.release()


@pytest.mark.cuda
def test_on_a_gpu_a_shared_tensor_is_seen_as_it_is(context) -> None:
    tensor = interop_of(context).share(37, 53, 3, torch.device("cuda", 0))
    if tensor is None:
        pytest.skip("CUDA and OpenGL share no memory here")
    tensor.uniform_()
    texture = PictureTexture(context)
    for _ in range(2):
        tensor.mul_(0.5)
        assert content(texture.upload(tensor)).equal(tensor.cpu())
    assert texture.path == "cuda-buffer"
    texture.release()
