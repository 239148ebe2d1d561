/*
 * Loaded before the C library (LD_PRELOAD) by a process that writes a SQLite database.
 * DISK_FOLDER holds what would be left after a power cut: at each fsync of a file of the database, the file as it stands.
 * DISK_OPERATIONS: before which write or fsync the process is killed; absent or 0: before none.
 * A file in the folder that is named "full" makes writes fail as on a full disk, "broken" makes each fsync fail.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

/* The name of the database's file that is open here, or NULL. */
static const char *name_of(int fd) {
  static _Thread_local char path[PATH_MAX];
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return NULL;
  path[length] = 0;
  char *name = strrchr(path, '/');
  return name != NULL && strncmp(name, "/test.db", 8) == 0 ? name + 1 : NULL;
}

static void count_operation(void) {
  static long left = -1;
  if (left < 0) left = getenv("DISK_OPERATIONS") ? atol(getenv("DISK_OPERATIONS")) : 0;
  if (left > 0 && --left == 0) kill(getpid(), SIGKILL);
}

static int fails(const char *fault) {
  char path[PATH_MAX];
  count_operation();
  snprintf(path, sizeof path, "%s/%s", getenv("DISK_FOLDER"), fault);
  return access(path, F_OK) == 0;
}

static void keep(int fd, const char *name) {
  char path[PATH_MAX], part[PATH_MAX];
  struct stat stat;
  snprintf(path, sizeof path, "%s/%s", getenv("DISK_FOLDER"), name);
  snprintf(part, sizeof part, "%s/part", getenv("DISK_FOLDER"));
  int copy = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  off_t at = 0;
  if (copy < 0 || fstat(fd, &stat) != 0) abort();
  while (at < stat.st_size)
    if (sendfile(copy, fd, &at, stat.st_size - at) <= 0) abort();
  close(copy);
  if (rename(part, path) != 0) abort();
}

static int synced(int fd, int (*sync)(int)) {
  const char *name = name_of(fd);
  if (name != NULL && fails("broken")) return errno = EIO, -1;
  int result = sync(fd);
  if (name != NULL && result == 0) keep(fd, name);
  return result;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

static int is_full(int fd) {
  if (name_of(fd) == NULL || !fails("full")) return 0;
  errno = ENOSPC;
  return 1;
}

ssize_t write(int fd, const void *bytes, size_t count) {
  return is_full(fd) ? -1 : REAL(write)(fd, bytes, count);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  return is_full(fd) ? -1 : REAL(pwrite)(fd, bytes, count, at);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  return is_full(fd) ? -1 : REAL(pwrite64)(fd, bytes, count, at);
}
