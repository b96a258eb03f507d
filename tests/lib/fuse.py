"""A FUSE filesystem controlled by a test: it sets the reported sizes and when the filesystem hangs. Implements the
kernel's protocol on /dev/fuse (include/uapi/linux/fuse.h); needs root, but no packages."""
import ctypes
import errno
import os
import struct
import threading

LIBC = ctypes.CDLL(None, use_errno=True)
FORGET, GETATTR, STATFS, INIT, BATCH_FORGET = 2, 3, 17, 26, 42
MNT_DETACH = 2


def own_mount_namespace():
    """Enters a new mount namespace: later mounts belong to this process and its children, and end with them."""
    clone_newns = 0x20000
    if LIBC.unshare(clone_newns) != 0:
        raise OSError(ctypes.get_errno(), "unshare: a mount namespace needs root")
    mount("none", "/", None, flags=0x4000 | 0x40000)  # MS_REC | MS_PRIVATE


def mount(source, target, kind, options="", flags=0):
    text = [None if t is None else os.fsencode(t) for t in (source, target, kind)]
    if LIBC.mount(*text, flags, os.fsencode(options)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target)


def unmount(target):
    LIBC.umount2(os.fsencode(target), MNT_DETACH)


class Fuse:
    """Mounted at `target`. Hangs (does not even answer the kernel's INIT) until answer() is called."""

    def __init__(self, target, kind="fuse", source="test", blocks=(1000, 400, 300), files=(100, 90), block_size=4096):
        os.makedirs(target, exist_ok=True)
        self.target, self.blocks, self.files, self.block_size = target, blocks, files, block_size
        self.answering = threading.Event()
        self.fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self.fd},rootmode=40000,user_id=0,group_id=0" + (",blksize=512" if kind == "fuseblk" else "")
        mount(source, target, kind, options)
        threading.Thread(target=self._serve, daemon=True).start()

    def answer(self):
        self.answering.set()

    def hang(self):
        self.answering.clear()

    def close(self):
        unmount(self.target)
        os.close(self.fd)

    def _serve(self):
        while True:
            self.answering.wait()
            try:
                request = os.read(self.fd, 1 << 20)
            except OSError:
                return
            _, opcode, unique = struct.unpack_from("<IIQ", request)
            self.answering.wait()
            reply, error = self._reply(opcode)
            if opcode not in (FORGET, BATCH_FORGET):
                try:
                    os.write(self.fd, struct.pack("<IiQ", 16 + len(reply), -error, unique) + reply)
                except OSError:
                    pass  # the requesting process has gone

    def _reply(self, opcode):
        if opcode == INIT:
            return struct.pack("<IIIIHHIIHHI28x", 7, 31, 65536, 0, 16, 12, 131072, 1, 1, 0, 0), 0
        if opcode == STATFS:
            return struct.pack("<QQQQQIII28x", *self.blocks, *self.files, self.block_size, 255, self.block_size), 0
        if opcode == GETATTR:
            attributes = struct.pack("<QQQQQQIIIIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)
            return struct.pack("<QII", 1, 0, 0) + attributes, 0
        return b"", errno.ENOSYS
