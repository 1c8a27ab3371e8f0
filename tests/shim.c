/* What the first process of Debian trixie needs to start anything under qemu-user; loaded into it and its executor alone.
 *
 * pidfd_spawn: qemu-user 7.2 answers CLONE_PIDFD with EINVAL (10 knows it), and systemd has another way only for ENOSYS.
 * statx: qemu-user, 10 too, says that it tells the mount's number (STATX_MNT_ID), and leaves it 0: all mounts seem to be
 * one, and the sandbox of a unit never becomes its root. Told that there is none, systemd finds it in another way.
 * getsockopt: qemu-user 7.2 gives SO_PEERGROUPS room for one group and never says that more is needed, so systemd asks
 * for ever as soon as somebody with two groups speaks to it. Told that there is no such option, it goes without.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOUNT_NUMBER 0x1000u

int pidfd_spawn(void) { return ENOSYS; }

int getsockopt(int socket, int level, int option, void *value, socklen_t *size) {
  if (level == SOL_SOCKET && option == SO_PEERGROUPS) {
    errno = ENOPROTOOPT;
    return -1;
  }
  return (int)syscall(SYS_getsockopt, socket, level, option, value, size);
}

int statx(int folder, const char *path, int flags, unsigned int mask, struct statx *found) {
  long answer = syscall(SYS_statx, folder, path, flags, mask, found);
  if (answer == 0) found->stx_mask &= ~MOUNT_NUMBER;
  return (int)answer;
}
