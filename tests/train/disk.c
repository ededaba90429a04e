/* A disk that fails or a process that dies, at the n-th thing that is done to files below a folder.

   Loaded before the C library, it stands between a process and the system: whoever writes (Python, HDF5, TensorFlow)
   goes through it. Built and used by nursery.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char root[PATH_MAX], wanted[256], part[256];
static long at, seen;
static int error, sticky, armed, said = -1;

/* Ask for it. below: the folder; operations: `write,fsync`, or empty for all; in_path: text that the path must have;
   n: which one, from 1, 0 for none; number: errno, or 0 to die; again: whether all later ones fail too; log: a
   descriptor that every one is told to, or -1. */
void disk_arm(const char *below, const char *operations, const char *in_path, long n, int number, int again, int log) {
    armed = 0;
    snprintf(root, sizeof root, "%s", below);
    snprintf(wanted, sizeof wanted, ",%s,", operations);
    snprintf(part, sizeof part, "%s", in_path);
    at = n, seen = 0, error = number, sticky = again, said = log, armed = 1;
}

static void tell(const char *mark, const char *operation, const char *path) {
    char line[PATH_MAX + 64];
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    if (said < 0) return;
    int length = snprintf(line, sizeof line, "%s%s %s\n", mark, operation, path + strlen(root) + 1);
    if (real(said, line, length) < 0) abort();
}

/* 0: go on; 1: fail, errno is set; 2: die now (a write: after its first half). */
static int meets(const char *operation, const char *path) {
    if (!armed || !path || strncmp(path, root, strlen(root)) || path[strlen(root)] != '/') return 0;
    char name[64];
    snprintf(name, sizeof name, ",%s,", operation);
    int counts = (wanted[1] == ',' || strstr(wanted, name)) && strstr(path + strlen(root), part);
    long number = counts ? __sync_add_and_fetch(&seen, 1) : 0;
    if (!at || number < at || (number > at && !sticky)) { tell("", operation, path); return 0; }
    tell("! ", operation, path);
    if (error) { errno = error; return 1; }
    return 2;
}

static void die(void) { kill(getpid(), SIGKILL); pause(); }

static const char *named(int descriptor, char *buffer) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, buffer, PATH_MAX - 1);
    if (length < 0) return NULL;
    buffer[length] = 0;
    return buffer;
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)
#define MEET(operation, path, failed) \
    switch (meets(operation, path)) { case 1: return failed; case 2: die(); }
#define BY_PATH(name, operation, parameters, arguments) \
    int name parameters { REAL(name); MEET(operation, path, -1) return real arguments; }
#define OPENING(name, parameters, arguments) \
    int name parameters { \
        REAL(name); mode_t mode = 0; va_list rest; va_start(rest, flags); \
        if (flags & (O_CREAT | O_TMPFILE)) mode = va_arg(rest, mode_t); \
        va_end(rest); \
        if ((flags & O_ACCMODE) != O_RDONLY) MEET("open", path, -1) \
        return real arguments; }
#define STREAM(name) \
    FILE *name(const char *path, const char *mode) { \
        REAL(name); if (strpbrk(mode, "wa+")) MEET("open", path, NULL) return real(path, mode); }
/* What a disk that is full still takes is nothing; what a process that dies has written is half. */
#define WRITING(name, parameters, whole, half) \
    ssize_t name parameters { \
        REAL(name); char path[PATH_MAX]; \
        switch (armed ? meets("write", named(descriptor, path)) : 0) { case 1: return -1; case 2: half; die(); } \
        return whole; }

OPENING(open, (const char *path, int flags, ...), (path, flags, mode))
OPENING(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENING(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPENING(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
STREAM(fopen)
STREAM(fopen64)
BY_PATH(mkdir, "mkdir", (const char *path, mode_t mode), (path, mode))
BY_PATH(mkdirat, "mkdir", (int folder, const char *path, mode_t mode), (folder, path, mode))
BY_PATH(unlink, "unlink", (const char *path), (path))
BY_PATH(unlinkat, "unlink", (int folder, const char *path, int flags), (folder, path, flags))
BY_PATH(rmdir, "rmdir", (const char *path), (path))
BY_PATH(rename, "rename", (const char *path, const char *to), (path, to))
BY_PATH(renameat, "rename", (int folder, const char *path, int other, const char *to), (folder, path, other, to))
WRITING(write, (int descriptor, const void *data, size_t size), real(descriptor, data, size),
        if (real(descriptor, data, size / 2) < 0) die())
WRITING(pwrite, (int descriptor, const void *data, size_t size, off_t from), real(descriptor, data, size, from),
        if (real(descriptor, data, size / 2, from) < 0) die())
WRITING(pwrite64, (int descriptor, const void *data, size_t size, off64_t from), real(descriptor, data, size, from),
        if (real(descriptor, data, size / 2, from) < 0) die())
WRITING(writev, (int descriptor, const struct iovec *parts, int count), real(descriptor, parts, count),
        if (real(descriptor, parts, count / 2) < 0) die())

size_t fwrite(const void *data, size_t size, size_t count, FILE *stream) {
    REAL(fwrite);
    char path[PATH_MAX];
    switch (armed ? meets("write", named(fileno(stream), path)) : 0) {
    case 1: return 0;
    case 2: real(data, size, count / 2, stream); fflush(stream); die();
    }
    return real(data, size, count, stream);
}

int fsync(int descriptor) {
    REAL(fsync);
    char path[PATH_MAX];
    if (armed) MEET("fsync", named(descriptor, path), -1)
    return real(descriptor);
}

int fdatasync(int descriptor) {
    REAL(fdatasync);
    char path[PATH_MAX];
    if (armed) MEET("fsync", named(descriptor, path), -1)
    return real(descriptor);
}
