"""CUDA–OpenGL interop: pictures on a GPU become textures. Of three ways, the best that works is found by trying:

- "cuda-array": the texture is CUDA's for a moment, and the picture is copied into it, from device memory to device
  memory (`ArrayCopy`).
- "cuda-buffer": the picture was made in an OpenGL buffer to begin with (`SharedPicture`); OpenGL copies it from there.
- "cuda-host": through pinned main memory, where OpenGL draws on another device than CUDA computes, one frame late
  rather than waiting (`HostCopy`).

In every call here the OpenGL context is current. Mapping and unmapping is what keeps the two from touching the same
memory at once: CUDA's work waits for OpenGL's drawing at the one, and OpenGL's for CUDA's at the other.
"""

import importlib
import logging
import math
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Shaped
from torch import Tensor

if TYPE_CHECKING:
    import moderngl

log = logging.getLogger("easel")
TEXTURE_2D = 0x0DE1
"""GL_TEXTURE_2D, the target of the texture that is registered."""
WRITE_DISCARD = 2
"""cudaGraphicsRegisterFlagsWriteDiscard: CUDA replaces everything and reads nothing."""
MOST_DEVICES = 16
"""One OpenGL context is drawn by one device, on linked cards by a few."""


class InteropError(RuntimeError):
    """CUDA and OpenGL do not come together here; the message is the reason in one line."""


class Cuda:
    """CUDA through torch and cuda-bindings: the seam at which tests put a machine that they do not have."""

    def runtime(self) -> Any:
        """Return the module of CUDA's runtime functions, which return (error, value...). InteropError without it."""
        try:
            return importlib.import_module("cuda.bindings.runtime")
        except ImportError as error:
            raise InteropError(f"no cuda-bindings ({error}): pip install 'torch-easel[cuda]'") from error

    def holds(self, tensor: Tensor) -> bool:
        """Return True if a tensor's memory is CUDA's."""
        return tensor.is_cuda

    def device(self, device: torch.device) -> AbstractContextManager[object]:
        """Make a device CUDA's current one, inside `with`."""
        return torch.cuda.device(device)

    def stream(self, device: torch.device) -> Any:
        """Return the stream on which torch computes in this thread now."""
        return torch.cuda.current_stream(device)

    def pinned(self, like: Tensor) -> Tensor:
        """Return main memory of the same shape and type that a GPU copies into by itself."""
        return torch.empty(like.shape, dtype=like.dtype, pin_memory=True)

    def wrap(self, memory: "Mapped", device: torch.device) -> Tensor:
        """Return the tensor of device memory; it keeps `memory` alive."""
        return torch.as_tensor(memory, device=device)


class Interop:
    """The connection between CUDA and one OpenGL context: reach, registered resources and shared memory."""

    def __init__(self, context: "moderngl.Context", cuda: Cuda | None = None) -> None:
        self.context = context
        self.cuda = cuda or Cuda()
        self._devices: frozenset[int] | None = None
        """CUDA's numbers of the devices that draw here; None until somebody asks."""
        self._shared: weakref.WeakValueDictionary[int, SharedPicture] = weakref.WeakValueDictionary()
        """Pointer of a shared picture's memory → the picture, while its tensor lives."""
        self._dropped: list[Callable[[], None]] = []
        """Release functions of shared pictures whose tensors are gone."""

    def reaches(self, device: torch.device) -> bool:
        """Return True if textures of this context and tensors on `device` are in reach of each other."""
        # Asked once: the answer never changes, and asking takes a call of the driver.
        if self._devices is None:
            try:
                with self.cuda.device(device):
                    everything = self.cuda.runtime().cudaGLDeviceList.cudaGLDeviceListAll
                    count, devices = self.call("cudaGLGetDevices", MOST_DEVICES, everything)
                self._devices = frozenset(devices[:count])
            except InteropError as error:
                self.give_up(error)
        return device.index in (self._devices or ())

    def give_up(self, error: InteropError) -> None:
        """Send everything through main memory from now on."""
        self._devices = frozenset()
        log.debug("CUDA pictures go through main memory: %s", error)

    def call(self, function: str, *arguments: object) -> tuple[Any, ...]:
        """Call one of the runtime's functions and return its values. Raises InteropError if it returns an error."""
        runtime = self.cuda.runtime()
        code, *values = getattr(runtime, function)(*arguments)
        if int(code):
            raise InteropError(f"{function}: {getattr(code, 'name', code)}")
        return tuple(values)

    @contextmanager
    def mapped(self, resource: object, device: torch.device) -> Iterator[int]:
        """Give a registered resource to CUDA inside `with`, in the order of torch's current stream, which it yields."""
        with self.cuda.device(device):
            stream = self.cuda.stream(device).cuda_stream
            self.call("cudaGraphicsMapResources", 1, resource, stream)
            try:
                yield stream
            finally:
                self.call("cudaGraphicsUnmapResources", 1, resource, stream)

    def share(self, height: int, width: int, channels: int, device: torch.device) -> Tensor | None:
        """Return a zero-filled float32 tensor in an OpenGL buffer of this context; None if that cannot be made."""
        self.tidy()
        if not self.reaches(device):
            return None
        try:
            picture = SharedPicture(self, (height, width, channels), device)
        except InteropError as error:
            log.debug("no memory shared by CUDA and OpenGL: %s", error)
            return None
        memory = Mapped(picture)
        self._shared[picture.pointer] = picture
        # Not released at once: a tensor may go on any thread, where no context is current. At exit drivers clean up.
        weakref.finalize(memory, self._dropped.append, picture.release).atexit = False
        return self.cuda.wrap(memory, device).zero_()

    def shared(self, picture: Tensor) -> "SharedPicture | None":
        """Return the shared picture whose tensor this is; None for others, and for a part or view of one."""
        found = self._shared.get(picture.data_ptr())
        # A view can begin at the same pointer and still be a part, or lie in another order.
        whole = found is not None and found.shape == tuple(picture.shape) and picture.is_contiguous()
        return found if whole and picture.dtype == torch.float32 else None

    def tidy(self) -> None:
        """Release the memory that was shared with tensors that are gone: they end when no context is current."""
        # Popped one by one: another thread may add to the list meanwhile.
        while self._dropped:
            self._dropped.pop()()

    @property
    def lends_memory(self) -> bool:
        """True while tensors live in this context's memory: it must not go yet."""
        self.tidy()
        return bool(self._shared)


_interops: "weakref.WeakKeyDictionary[moderngl.Context, Interop]" = weakref.WeakKeyDictionary()


def interop_of(context: "moderngl.Context") -> Interop:
    """Return the interop of a context, the same one at every call."""
    # A proxy: a strong reference in the value would keep the key, the context, alive for ever.
    if context not in _interops:
        _interops[context] = Interop(weakref.proxy(context))
    return _interops[context]


class ArrayCopy:
    """A texture that is registered with CUDA for as long as it lives."""

    path = "cuda-array"

    def __init__(self, interop: Interop, texture: "moderngl.Texture", device: torch.device) -> None:
        self._interop, self._device = interop, device
        self._wide: Tensor | None = None
        # Registering takes long and mapping does not: once for a texture, not once for a picture.
        with interop.cuda.device(device):
            (self._resource,) = interop.call("cudaGraphicsGLRegisterImage", texture.glo, TEXTURE_2D, WRITE_DISCARD)

    @torch.no_grad()
    def copy(self, picture: Shaped[Tensor, "h w c"]) -> int:
        """Copy `picture` into the texture, after all work of torch's current stream. Returns the bytes."""
        interop = self._interop
        with interop.mapped(self._resource, self._device) as stream:
            # Within: what is drawn of the last picture is then done with, and so is the buffer it came from.
            source = self._four_channels(picture) if picture.shape[-1] == 3 else picture.contiguous()
            height, row = source.shape[0], source.nbytes // source.shape[0]
            # Asked for at every copy: mapped again, a texture may lie elsewhere.
            (array,) = interop.call("cudaGraphicsSubResourceGetMappedArray", self._resource, 0, 0)
            inside = interop.cuda.runtime().cudaMemcpyKind.cudaMemcpyDeviceToDevice
            pointer = source.data_ptr()
            interop.call("cudaMemcpy2DToArrayAsync", array, 0, 0, pointer, row, row, height, inside, stream)
        return source.nbytes

    def release(self) -> None:
        """End the registration; call it before the texture's own release."""
        try:
            with self._interop.cuda.device(self._device):
                self._interop.call("cudaGraphicsUnregisterResource", self._resource)
        except InteropError as error:
            log.debug("a texture stays registered with CUDA: %s", error)

    def _four_channels(self, picture: Shaped[Tensor, "h w 3"]) -> Shaped[Tensor, "h w 4"]:
        # RGB goes into a kept RGBA buffer: CUDA cannot register three-channel textures.
        size = (*picture.shape[:2], 4)
        if self._wide is None or self._wide.shape != size or self._wide.dtype != picture.dtype:
            self._wide = picture.new_ones(size)
        self._wide[..., :3] = picture
        return self._wide


class SharedPicture:
    """An OpenGL buffer that is CUDA's except while it is drawn, when OpenGL copies it into a texture."""

    path = "cuda-buffer"

    def __init__(self, interop: Interop, shape: tuple[int, int, int], device: torch.device) -> None:
        self.shape = shape
        self._interop, self._device = interop, device
        # 4 bytes: float32.
        self._buffer = interop.context.buffer(reserve=4 * math.prod(shape))
        self._resource: object = None
        try:
            with interop.cuda.device(device):
                (self._resource,) = interop.call("cudaGraphicsGLRegisterBuffer", self._buffer.glo, 0)
            self.pointer = self._map()
        except InteropError:
            # Half made, the buffer would stay the driver's until the context goes.
            self.release()
            raise

    def copy_into(self, texture: "moderngl.Texture") -> int:
        """Let OpenGL copy the picture as it is after all work of torch's current stream. Returns the bytes.

        Raises RuntimeError if CUDA moved the memory meanwhile.
        """
        self._unmap()
        try:
            texture.write(self._buffer)
        finally:
            # Mapped again whatever happens: the tensor goes on writing into this memory.
            moved = self._map() != self.pointer
        if not moved:
            return self._buffer.size
        # The tensor would write into memory that is somebody else's by now: no way to go on.
        raise RuntimeError("CUDA has moved a shared tensor's memory while it was drawn: make it without shared=True.")

    def release(self) -> None:
        """Free the buffer, when the tensor is gone."""
        if self._resource is not None:
            for step in (self._unmap, partial(self._interop.call, "cudaGraphicsUnregisterResource", self._resource)):
                # Each by itself: a failure of the first must not leave the buffer registered.
                try:
                    step()
                except InteropError as error:
                    log.debug("a buffer stays CUDA's: %s", error)
        self._buffer.release()

    def _map(self) -> int:
        """Give the buffer to CUDA. Returns the pointer of its memory."""
        interop = self._interop
        with interop.cuda.device(self._device):
            interop.call("cudaGraphicsMapResources", 1, self._resource, self._stream)
            pointer, _ = interop.call("cudaGraphicsResourceGetMappedPointer", self._resource)
        return int(pointer)

    def _unmap(self) -> None:
        """Give the buffer back to OpenGL."""
        with self._interop.cuda.device(self._device):
            self._interop.call("cudaGraphicsUnmapResources", 1, self._resource, self._stream)

    @property
    def _stream(self) -> int:
        return self._interop.cuda.stream(self._device).cuda_stream


class Mapped:
    """Memory of a shared picture for `torch.as_tensor`: the tensor keeps this alive, and this the buffer."""

    def __init__(self, picture: SharedPicture) -> None:
        self.picture = picture

    @property
    def __cuda_array_interface__(self) -> dict[str, object]:
        # Version 3; float32; writable; without a stream, as the reader is torch's current one.
        return {"shape": self.picture.shape, "typestr": "<f4", "data": (self.picture.pointer, False), "version": 3}


class HostCopy:
    """Copies pictures through main memory, beside the program's work.

    One buffer is enough: OpenGL has its own copy when `Texture.write` returns, and only then the next one is started.
    """

    path = "cuda-host"

    def __init__(self, cuda: Cuda, picture: Shaped[Tensor, "h w c"]) -> None:
        self._cuda = cuda
        self._host = cuda.pinned(picture)
        self._arrival: Any = None
        """Event that happens when the present copy has arrived; None before the first."""

    def fits(self, picture: Tensor) -> bool:
        """Return True if the buffer is for such pictures."""
        return (self._host.shape, self._host.dtype) == (picture.shape, picture.dtype)

    def copy_into(self, texture: "moderngl.Texture", picture: Shaped[Tensor, "h w c"], late: bool) -> int:
        """Put `picture` into the texture, or if that may be `late`, the one before it without waiting.

        Returns the bytes that were started; 0 if the last picture is still on its way.
        """
        if not late or self._arrival is None:
            self._start(picture).synchronize()
            texture.write(self._host.numpy())
        elif self._arrival.query():
            # The picture of the last call has arrived; this one starts into the same memory.
            texture.write(self._host.numpy())
            self._start(picture)
        else:
            return 0
        return picture.nbytes

    @torch.no_grad()
    def _start(self, picture: Shaped[Tensor, "h w c"]) -> Any:
        """Start the copy of a picture into main memory. Returns the event of its arrival."""
        with self._cuda.device(picture.device):
            # Pinned, the copy goes on by itself; the event is all that tells its end.
            self._host.copy_(picture, non_blocking=True)
            self._arrival = self._cuda.stream(picture.device).record_event()
        return self._arrival


class Producer:
    """The stream that writes a tensor: torch's current one when it was bound.

    Without this, a picture written on a stream of its own would be read half finished.
    """

    def __init__(self, tensor: Tensor, cuda: Cuda | None = None) -> None:
        self._cuda, self._device = cuda or Cuda(), tensor.device
        # A tensor on the CPU is written by the time that a call returns.
        self._stream = self._cuda.stream(tensor.device) if self._cuda.holds(tensor) else None

    def wait(self) -> None:
        """Let torch's current stream wait for all work that the producer was given so far."""
        if self._stream is not None and (reader := self._cuda.stream(self._device)) != self._stream:
            reader.wait_event(self._stream.record_event())

    def resume(self) -> None:
        """Let the producer's next work wait until torch's current stream has read the tensor."""
        if self._stream is not None and (reader := self._cuda.stream(self._device)) != self._stream:
            self._stream.wait_event(reader.record_event())
