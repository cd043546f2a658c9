/* Sees to it that every request to a subnet manager in ibsim is answered, at least by a time-out.
 *
 * The library of the simulator knows no time-outs, which a kernel's umad has: a manager whose request gets no answer
 * waits for ever, and manages nothing from then on. Requests get none in three cases, and here is what this does:
 *
 * - ibsim drops every TrapRepress, as its own traps (transaction 0) need none. Inside of ibsim it is called a response,
 *   which goes back to the manager that sent the trap.
 * - A manager that has just begun, or was killed, does not answer what ibsim passed on to it. After 800 ms, which is
 *   OpenSM's patience (200 ms and three repetitions), the one who asked hears of a time-out, in ibsim's own way.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

enum { PACKET = 288, STATUS = 16, DATAGRAM = 32, CLASS = DATAGRAM + 1, METHOD = DATAGRAM + 3, TRANSACTION = DATAGRAM + 12 };
enum { LID_ROUTED = 0x01, DIRECTED = 0x81, TRAP_REPRESS = 0x07, RESPONSE = 0x80 };
enum { WAITING = 256, PATIENCE_MS = 800, TIMED_OUT = 110 };

#define NEXT(name) static __typeof__(name) *next; if (!next) next = (__typeof__(next))dlsym(RTLD_NEXT, #name)

static struct request { int asker; long long deadline; unsigned char packet[PACKET]; } waiting[WAITING];
static struct { int file; unsigned char packet[PACKET]; } last = { .file = -1 };

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int of_managers(const unsigned char *packet, ssize_t size)
{
	return size == PACKET && (packet[CLASS] == LID_ROUTED || packet[CLASS] == DIRECTED);
}

static int has_transaction(const unsigned char *packet)
{
	static const unsigned char none[4];

	return memcmp(packet + TRANSACTION, none, sizeof(none)) != 0;
}

/* Remember a request that is passed on; forget it with its answer. */
static void note(int file, const unsigned char *packet)
{
	struct request *one, *end = waiting + WAITING;

	if (packet[METHOD] & RESPONSE) {
		for (one = waiting; one < end; one++)
			if (one->deadline && one->asker == file && !memcmp(one->packet + TRANSACTION, packet + TRANSACTION, 4))
				one->deadline = 0;
		return;
	}
	if (last.file < 0 || last.file == file || memcmp(last.packet + TRANSACTION, packet + TRANSACTION, 4))
		return;
	for (one = waiting; one < end && one->deadline; one++)
		;
	if (one == end)
		return;
	one->asker = last.file;
	one->deadline = now_ms() + PATIENCE_MS;
	memcpy(one->packet, last.packet, PACKET);
}

ssize_t read(int file, void *buffer, size_t count)
{
	unsigned char *packet = buffer;
	ssize_t size;
	NEXT(read);

	size = next(file, buffer, count);
	last.file = -1;
	if (!of_managers(packet, size))
		return size;
	if (packet[METHOD] == TRAP_REPRESS && has_transaction(packet))
		packet[METHOD] |= RESPONSE;
	last.file = file;
	memcpy(last.packet, packet, PACKET);
	return size;
}

ssize_t write(int file, const void *buffer, size_t count)
{
	unsigned char packet[PACKET];
	NEXT(write);

	if (!of_managers(buffer, (ssize_t)count))
		return next(file, buffer, count);
	memcpy(packet, buffer, PACKET);
	if (has_transaction(packet))
		note(file, packet);
	if (packet[METHOD] == (TRAP_REPRESS | RESPONSE))
		packet[METHOD] = TRAP_REPRESS;
	return next(file, packet, PACKET);
}

/* Tell those who waited long enough; return milliseconds until the next one has, -1 where nobody waits. */
static long long expire(void)
{
	long long now = now_ms(), least = -1;
	struct request *one;
	NEXT(write);

	for (one = waiting; one < waiting + WAITING; one++) {
		if (!one->deadline)
			continue;
		if (one->deadline <= now) {
			uint32_t status = htonl(TIMED_OUT);

			memcpy(one->packet + STATUS, &status, sizeof(status));
			if (next(one->asker, one->packet, PACKET) < 0)
				; /* the asker has gone, too */
			one->deadline = 0;
		} else if (least < 0 || one->deadline - now < least) {
			least = one->deadline - now;
		}
	}
	return least;
}

int select(int count, fd_set *files, fd_set *writable, fd_set *exceptions, struct timeval *timeout)
{
	fd_set wanted = *files;
	NEXT(select);

	for (;;) {
		long long left = expire();
		struct timeval until = { left / 1000, left % 1000 * 1000 };
		int found;

		*files = wanted;
		found = next(count, files, writable, exceptions, left < 0 ? timeout : &until);
		if (found || left < 0)
			return found;
	}
}
