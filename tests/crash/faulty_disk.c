/* A disk that fails when told to: a library to preload, so that the system calls of a process below one directory are
 * counted and the n-th of a kind fails. Knows the calls of glibc by which Python, SQLite and others write and name files
 * (and read them); does not see writes through a mapping. Told what to do by faulty_arm(), from within the process. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, CUT = 4, NAME = 8, REMOVE = 16, CREATE = 32, OPEN = 64, READ = 128 };
enum { ONCE = 0, EVER = 1, SHORT = 2, TORN = 3, LOSE = 4 };

static char root[PATH_MAX];
static char spared[PATH_MAX];
static size_t root_length, spared_length;
static int armed, mask, mode, number, broken;
static long at, count, hits;
static char where[PATH_MAX + 64];

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* --- what was written since the last sync, to take it back ---------------------------------------------------------- */

struct change {
    struct change *before;
    dev_t device;
    ino_t inode;
    off_t offset, size; /* the size of the file before */
    size_t length;      /* of the old contents */
    char old[];
};
static struct change *changes;

static void remember(int descriptor, off_t offset, size_t length) {
    struct stat file;
    if (mode != LOSE || !armed || fstat(descriptor, &file) || !S_ISREG(file.st_mode)) return;
    size_t kept = offset < file.st_size ? (size_t)(file.st_size - offset) : 0;
    if (kept > length) kept = length;
    struct change *each = malloc(sizeof *each + kept);
    static ssize_t (*reading)(int, void *, size_t, off_t);
    if (!reading) reading = (ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread");
    ssize_t got = kept ? reading(descriptor, each->old, kept, offset) : 0;
    *each = (struct change){changes, file.st_dev, file.st_ino, offset, file.st_size, got < 0 ? 0 : (size_t)got};
    changes = each;
}

static void settle(int descriptor, int undo) {
    struct stat file;
    if (mode != LOSE || fstat(descriptor, &file)) return;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    static ssize_t (*writing)(int, const void *, size_t, off_t);
    static int (*cutting)(int, off_t);
    static int (*opening)(const char *, int, ...);
    if (!writing) writing = (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
    if (!cutting) cutting = (int (*)(int, off_t))dlsym(RTLD_NEXT, "ftruncate");
    if (!opening) opening = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    int file_descriptor = undo ? opening(path, O_RDWR | O_CLOEXEC) : -1;
    for (struct change **link = &changes; *link;) {
        struct change *each = *link;
        if (each->device != file.st_dev || each->inode != file.st_ino) {
            link = &each->before;
            continue;
        }
        if (undo && file_descriptor >= 0) {
            if (each->length && writing(file_descriptor, each->old, each->length, each->offset) < 0) abort();
            if (cutting(file_descriptor, each->size)) abort();
        }
        *link = each->before;
        free(each);
    }
    if (file_descriptor >= 0) close(file_descriptor);
}

/* --- counting ------------------------------------------------------------------------------------------------------- */

static int below(const char *path) {
    if (!root_length || strncmp(path, root, root_length) || (path[root_length] && path[root_length] != '/')) return 0;
    return !spared_length || strncmp(path, spared, spared_length);
}

static int path_of(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
    return length > 0;
}

/* Returns 0 for a call to let through, 1 for one that fails (errno is set), 2 for one that is to be cut short. */
static int struck(int kind, const char *call, const char *path) {
    if (!armed || !(mask & kind) || !below(path)) return 0;
    int saved = errno;
    long n = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    int hit = n == at || broken;
    if (!hit) return errno = saved, 0;
    if (n == at) snprintf(where, sizeof where, "%s %s", call, path + root_length);
    __atomic_add_fetch(&hits, 1, __ATOMIC_SEQ_CST);
    if (mode == SHORT || (mode == TORN && !broken)) {
        broken = mode == TORN;
        if (kind == WRITE) return errno = saved, 2;
        if (mode == SHORT) return errno = saved, 0;
    }
    if (mode == EVER) broken = 1;
    errno = number;
    return 1;
}

static int struck_descriptor(int kind, const char *call, int descriptor) {
    char path[PATH_MAX];
    int saved = errno;
    if (!armed || !(mask & kind) || !path_of(descriptor, path)) return errno = saved, 0;
    errno = saved;
    return struck(kind, call, path);
}

static int struck_at(int kind, const char *call, int directory, const char *name) {
    char path[2 * PATH_MAX];
    if (!armed || !(mask & kind)) return 0;
    if (name[0] == '/' || directory == AT_FDCWD) return struck(kind, call, name);
    if (!path_of(directory, path)) return 0;
    size_t length = strlen(path);
    snprintf(path + length, sizeof path - length, "/%s", name);
    return struck(kind, call, path);
}

/* --- told from within ----------------------------------------------------------------------------------------------- */

void faulty_arm(const char *directory, const char *sparing, int kinds, long nth, int error, int how) {
    snprintf(root, sizeof root, "%s", directory);
    snprintf(spared, sizeof spared, "%s", sparing);
    root_length = strlen(root);
    spared_length = strlen(spared);
    mask = kinds, at = nth, number = error, mode = how;
    count = hits = broken = 0;
    where[0] = 0;
    armed = 1;
}

void faulty_disarm(void) { armed = 0; }
long faulty_count(void) { return count; }
long faulty_hits(void) { return hits; }
const char *faulty_where(void) { return where; }

/* --- writing -------------------------------------------------------------------------------------------------------- */

ssize_t write(int descriptor, const void *octets, size_t length) {
    REAL(write);
    int hit = struck_descriptor(WRITE, "write", descriptor);
    if (hit == 1) return -1;
    if (hit == 2 && length > 1) length /= 2;
    if (armed && mode == LOSE) remember(descriptor, lseek(descriptor, 0, SEEK_CUR), length);
    return real(descriptor, octets, length);
}

#define PWRITE(name) \
    ssize_t name(int descriptor, const void *octets, size_t length, off_t offset) { \
        REAL(name); \
        int hit = struck_descriptor(WRITE, "pwrite", descriptor); \
        if (hit == 1) return -1; \
        if (hit == 2 && length > 1) length /= 2; \
        remember(descriptor, offset, length); \
        return real(descriptor, octets, length, offset); \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t writev(int descriptor, const struct iovec *pieces, int number_of) {
    REAL(writev);
    int hit = struck_descriptor(WRITE, "writev", descriptor);
    if (hit == 1) return -1;
    size_t length = 0;
    for (int each = 0; each < number_of; each++) length += pieces[each].iov_len;
    if (armed && mode == LOSE) remember(descriptor, lseek(descriptor, 0, SEEK_CUR), length);
    return real(descriptor, pieces, hit == 2 ? 1 : number_of);
}

ssize_t sendfile(int target, int source, off_t *offset, size_t length) {
    REAL(sendfile);
    if (struck_descriptor(WRITE, "sendfile", target) == 1) return -1;
    return real(target, source, offset, length);
}

ssize_t sendfile64(int target, int source, off_t *offset, size_t length) {
    REAL(sendfile64);
    if (struck_descriptor(WRITE, "sendfile", target) == 1) return -1;
    return real(target, source, offset, length);
}

ssize_t copy_file_range(int source, off64_t *from, int target, off64_t *to, size_t length, unsigned flags) {
    REAL(copy_file_range);
    if (struck_descriptor(WRITE, "copy_file_range", target) == 1) return -1;
    return real(source, from, target, to, length, flags);
}

#define SYNCING(name) \
    int name(int descriptor) { \
        REAL(name); \
        int hit = struck_descriptor(SYNC, #name, descriptor), error = errno; \
        settle(descriptor, hit == 1); \
        errno = error; \
        return hit == 1 ? -1 : real(descriptor); \
    }
SYNCING(fsync)
SYNCING(fdatasync)

#define CUTTING(name) \
    int name(int descriptor, off_t length) { \
        REAL(name); \
        if (struck_descriptor(CUT, "ftruncate", descriptor) == 1) return -1; \
        remember(descriptor, length, SSIZE_MAX); \
        return real(descriptor, length); \
    }
CUTTING(ftruncate)
CUTTING(ftruncate64)

#define ALLOCATING(name) \
    int name(int descriptor, off_t offset, off_t length) { \
        REAL(name); \
        if (struck_descriptor(CUT, #name, descriptor) == 1) return errno; \
        return real(descriptor, offset, length); \
    }
ALLOCATING(posix_fallocate)
ALLOCATING(posix_fallocate64)

int fallocate(int descriptor, int how, off_t offset, off_t length) {
    REAL(fallocate);
    if (struck_descriptor(CUT, "fallocate", descriptor) == 1) return -1;
    return real(descriptor, how, offset, length);
}

/* --- names ---------------------------------------------------------------------------------------------------------- */

int rename(const char *source, const char *target) {
    REAL(rename);
    return struck(NAME, "rename", target) == 1 ? -1 : real(source, target);
}

int renameat(int from, const char *source, int to, const char *target) {
    REAL(renameat);
    return struck_at(NAME, "rename", to, target) == 1 ? -1 : real(from, source, to, target);
}

int renameat2(int from, const char *source, int to, const char *target, unsigned flags) {
    REAL(renameat2);
    return struck_at(NAME, "rename", to, target) == 1 ? -1 : real(from, source, to, target, flags);
}

int link(const char *source, const char *target) {
    REAL(link);
    return struck(NAME, "link", target) == 1 ? -1 : real(source, target);
}

int mkdir(const char *path, mode_t permissions) {
    REAL(mkdir);
    return struck(NAME, "mkdir", path) == 1 ? -1 : real(path, permissions);
}

int mkdirat(int directory, const char *path, mode_t permissions) {
    REAL(mkdirat);
    return struck_at(NAME, "mkdir", directory, path) == 1 ? -1 : real(directory, path, permissions);
}

int unlink(const char *path) {
    REAL(unlink);
    return struck(REMOVE, "unlink", path) == 1 ? -1 : real(path);
}

int unlinkat(int directory, const char *path, int flags) {
    REAL(unlinkat);
    return struck_at(REMOVE, "unlink", directory, path) == 1 ? -1 : real(directory, path, flags);
}

int rmdir(const char *path) {
    REAL(rmdir);
    return struck(REMOVE, "rmdir", path) == 1 ? -1 : real(path);
}

static int kind_of(int flags) {
    if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) return CREATE;
    return (flags & O_ACCMODE) == O_RDONLY ? 0 : OPEN;
}

#define PERMISSIONS \
    mode_t permissions = 0; \
    if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) { \
        va_list rest; \
        va_start(rest, flags); \
        permissions = va_arg(rest, mode_t); \
        va_end(rest); \
    }

#define OPENING(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        PERMISSIONS \
        return struck(kind_of(flags), "open", path) == 1 ? -1 : real(path, flags, permissions); \
    }
OPENING(open)
OPENING(open64)

#define OPENING_AT(name) \
    int name(int directory, const char *path, int flags, ...) { \
        REAL(name); \
        PERMISSIONS \
        return struck_at(kind_of(flags), "open", directory, path) == 1 ? -1 : real(directory, path, flags, permissions); \
    }
OPENING_AT(openat)
OPENING_AT(openat64)

/* --- reading -------------------------------------------------------------------------------------------------------- */

ssize_t read(int descriptor, void *octets, size_t length) {
    REAL(read);
    return struck_descriptor(READ, "read", descriptor) == 1 ? -1 : real(descriptor, octets, length);
}

#define PREAD(name) \
    ssize_t name(int descriptor, void *octets, size_t length, off_t offset) { \
        REAL(name); \
        return struck_descriptor(READ, "pread", descriptor) == 1 ? -1 : real(descriptor, octets, length, offset); \
    }
PREAD(pread)
PREAD(pread64)
