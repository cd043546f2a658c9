/*
 * What the kernel of a lab host answers: its release, its modules, and whether one may be loaded or unloaded.
 *
 * Loaded into every dynamically linked program through /etc/ld.so.preload. The real kernel of a container has another
 * release and often no loadable modules, so the system calls that would tell are answered here, and kmod, systemd and dkms
 * stay the distribution's own. Without /run/gpufleet-lab/kernel (image build, chroot, initramfs) everything passes through.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define RELEASE "/run/gpufleet-lab/kernel"
#define VERSION "/run/gpufleet-lab/kernel-version"
#define MODULES "/run/gpufleet-lab/modules"
#define PROGRAM "/usr/lib/gpufleet-lab/kernel"
#define NEXT(name) ((__typeof__(&name))next(#name))

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

static int emulated(void) { return syscall(SYS_access, RELEASE, R_OK) == 0; }

/* First line of a file, read by system calls alone: this runs inside open() itself. */
static void first_line(const char *path, char *into, size_t size)
{
	char text[512];
	long fd = syscall(SYS_open, path, O_RDONLY | O_CLOEXEC), length;

	if (fd < 0)
		return;
	length = syscall(SYS_read, fd, text, sizeof text - 1);
	syscall(SYS_close, fd);
	if (length <= 0)
		return;
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	snprintf(into, size, "%.*s", (int)size - 1, text);
}

int uname(struct utsname *name)
{
	int saved = errno, result = (int)syscall(SYS_uname, name);

	if (result == 0) {
		first_line(RELEASE, name->release, sizeof name->release);
		first_line(VERSION, name->version, sizeof name->version);
		errno = saved;
	}
	return result;
}

/* Ask the program that keeps the module tree; its exit status is an errno. */
static int ask(const char *verb, const char *what, const char *more, const char *flags)
{
	char *argv[] = {PROGRAM, (char *)verb, (char *)what, (char *)more, (char *)flags, NULL};
	char *environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "GPUFLEET_LAB_INNER=1", NULL};
	pid_t child;
	int status;

	if ((errno = posix_spawn(&child, PROGRAM, NULL, NULL, argv, environment)) != 0)
		return -1;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
	return errno == 0 ? 0 : -1;
}

static int load(int fd, const char *arguments, unsigned int flags)
{
	char path[64], number[16];

	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), fd);
	snprintf(number, sizeof number, "%u", flags);
	return ask("load", path, arguments ? arguments : "", number);
}

int init_module(void *image, unsigned long length, const char *arguments)
{
	unsigned long done = 0;
	int fd, result;

	if (!emulated())
		return (int)syscall(SYS_init_module, image, length, arguments);
	if ((fd = memfd_create("module", MFD_CLOEXEC)) < 0)
		return -1;
	while (done < length) {
		ssize_t written = write(fd, (char *)image + done, length - done);
		if (written < 0)
			break;
		done += (unsigned long)written;
	}
	result = done < length ? -1 : load(fd, arguments, 0);
	syscall(SYS_close, fd);
	return result;
}

int delete_module(const char *name, unsigned int flags)
{
	char number[16];

	if (!emulated())
		return (int)syscall(SYS_delete_module, name, flags);
	snprintf(number, sizeof number, "%u", flags);
	return ask("unload", name, number, NULL);
}

/* kmod calls finit_module this way, glibc having no wrapper for it. */
long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (!real)
		real = (long (*)(long, ...))next("syscall");
	if (number == SYS_finit_module && real(SYS_access, RELEASE, R_OK) == 0)
		return load((int)a[0], (const char *)a[1], (unsigned int)a[2]);
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Use counts change as processes open and close devices: bring them up to date, once per process, before they are read. */
static void refresh(void)
{
	static int fresh;
	int saved = errno;

	if (!fresh++ && !getenv("GPUFLEET_LAB_INNER") && emulated())
		ask("refresh", NULL, NULL, NULL);
	errno = saved;
}

static const char *place(const char *path)
{
	size_t length;

	if (!path || path[0] != '/')
		return path;
	if (strcmp(path, "/proc/modules") == 0 && emulated()) {
		refresh();
		return MODULES;
	}
	if (strncmp(path, "/sys/module/nvidia", 18) == 0 && (length = strlen(path)) >= 25 && strcmp(path + length - 7, "/refcnt") == 0)
		refresh();
	return path;
}

#define MODE(flags, mode)                                                   \
	mode_t mode = 0;                                                    \
	if ((flags) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {             \
		va_list list;                                               \
		va_start(list, flags);                                      \
		mode = va_arg(list, mode_t);                                \
		va_end(list);                                               \
	}

#define OPEN(name) int name(const char *path, int flags, ...) { MODE(flags, mode) return NEXT(name)(place(path), flags, mode); }
#define OPENAT(name) int name(int at, const char *path, int flags, ...) { MODE(flags, mode) return NEXT(name)(at, place(path), flags, mode); }
#define FOPEN(name) FILE *name(const char *path, const char *how) { return NEXT(name)(place(path), how); }
#define STAT(name, type) int name(const char *path, struct type *found) { return NEXT(name)(place(path), found); }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
FOPEN(fopen)
FOPEN(fopen64)
STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)

/* The firmware's variables lie on an ordinary file system, which libefivar takes for none. */
#define EFIVARS "/sys/firmware/efi/efivars"
#define EFIVARFS_MAGIC 0xde5e81e4
#define STATFS(name, type)                                                          \
	int name(const char *path, struct type *found)                              \
	{                                                                           \
		int result = NEXT(name)(path, found);                               \
		if (result == 0 && strncmp(path, EFIVARS, strlen(EFIVARS)) == 0)    \
			found->f_type = EFIVARFS_MAGIC;                             \
		return result;                                                      \
	}

STATFS(statfs, statfs)
STATFS(statfs64, statfs64)

int access(const char *path, int how) { return NEXT(access)(place(path), how); }
int faccessat(int at, const char *path, int how, int flags) { return NEXT(faccessat)(at, place(path), how, flags); }
