/* Sees to it that every request to a subnet manager in ibsim is answered, at least by a time-out, and that a damaged
 * cable stays so.
 *
 * The library of the simulator knows no time-outs, which a kernel's umad has: a manager whose request gets no answer
 * waits for ever, and manages nothing from then on. When requests get none, and what this does about it:
 *
 * - ibsim drops every TrapRepress, as its own traps (transaction 0) need none. Inside of ibsim it is called a response,
 *   which goes back to the manager that sent the trap.
 * - A manager that has just begun, or was killed, does not answer what ibsim passed on to it. It gets the request
 *   again, as OpenSM wants it: after 200 ms, three times. Then the one who asked hears of a time-out, in ibsim's way.
 * - That a program has gone the kernel tells once, when ibsim reads, which takes it for nothing. It is told again when
 *   it writes, where it looks, and gives the program's place to others.
 *
 * ibsim has one width and one speed of a link, and takes both from whatever is enabled last. OpenSM writes in every
 * sweep what it read at its beginning, and would mend a cable that was damaged in between. So nobody but the lab
 * (fabric/settings.py) enables a width or a speed: others ask for no change.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

enum { PACKET = 288, STATUS = 16, DATAGRAM = 32 };
enum { CLASS = DATAGRAM + 1, METHOD = DATAGRAM + 3, LONG_TRANSACTION = DATAGRAM + 8, TRANSACTION = DATAGRAM + 12 };
enum { ATTRIBUTE = DATAGRAM + 16, INFO = DATAGRAM + 64, WIDTH = INFO + 29, SPEED = INFO + 35, EXTENDED = INFO + 63 };
enum { LID_ROUTED = 0x01, DIRECTED = 0x81, SET = 0x02, TRAP_REPRESS = 0x07, RESPONSE = 0x80, PORT_INFO = 0x15 };
enum { WAITING = 256, PATIENCE_MS = 200, REPETITIONS = 3, TIMED_OUT = 110 };

#define NEXT(name) static __typeof__(name) *next; if (!next) next = (__typeof__(next))dlsym(RTLD_NEXT, #name)

static struct request {
	int asker, asked, repetitions;
	long long deadline;
	unsigned char packet[PACKET], passed[PACKET];
} waiting[WAITING];
static struct { int file; unsigned char packet[PACKET]; } last = { .file = -1 };

static char gone[FD_SETSIZE];

/* The transaction of a request of the lab's own. */
static const unsigned char lab[8] = { 'g', 'p', 'u', 'f', 'l', 'e', 'e', 't' };

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

/* Whether a program other than the lab changes a port. */
static int changes_port(const unsigned char *packet)
{
	return packet[METHOD] == SET && !packet[ATTRIBUTE] && packet[ATTRIBUTE + 1] == PORT_INFO &&
	       memcmp(packet + LONG_TRANSACTION, lab, sizeof(lab)) != 0;
}

/* Have a change leave alone what is enabled: zero means so, in widths and in both kinds of speeds. */
static void leave_enabled(unsigned char *packet)
{
	packet[WIDTH] = 0;
	packet[SPEED] &= 0xF0;
	packet[EXTENDED] &= 0xE0;
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
	one->asked = file;
	one->repetitions = 0;
	one->deadline = now_ms() + PATIENCE_MS;
	memcpy(one->packet, last.packet, PACKET);
	memcpy(one->passed, packet, PACKET);
}

ssize_t read(int file, void *buffer, size_t count)
{
	unsigned char *packet = buffer;
	ssize_t size;
	NEXT(read);

	size = next(file, buffer, count);
	last.file = -1;
	if (file >= 0 && file < FD_SETSIZE)
		gone[file] = size < 0 && errno == ECONNREFUSED;
	if (!of_managers(packet, size))
		return size;
	if (packet[METHOD] == TRAP_REPRESS && has_transaction(packet))
		packet[METHOD] |= RESPONSE;
	if (changes_port(packet))
		leave_enabled(packet);
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
	if (file < FD_SETSIZE && gone[file]) {
		gone[file] = 0;
		errno = ECONNREFUSED;
		return -1;
	}
	memcpy(packet, buffer, PACKET);
	if (has_transaction(packet))
		note(file, packet);
	if (packet[METHOD] == (TRAP_REPRESS | RESPONSE))
		packet[METHOD] = TRAP_REPRESS;
	return next(file, packet, PACKET);
}

/* Ask again, or tell the asker that it waited long enough; a time-out is ibsim's status of a dropped packet. */
static void insist(struct request *one)
{
	uint32_t status = htonl(TIMED_OUT);
	ssize_t size;
	NEXT(write);

	if (one->repetitions++ < REPETITIONS) {
		one->deadline += PATIENCE_MS;
		size = next(one->asked, one->passed, PACKET);
	} else {
		one->deadline = 0;
		memcpy(one->packet + STATUS, &status, sizeof(status));
		size = next(one->asker, one->packet, PACKET);
	}
	(void)size; /* one that has gone needs nothing more */
}

/* Look after all requests; return milliseconds until the next look, -1 where nobody waits. */
static long long look_after(void)
{
	long long now = now_ms(), least = -1;
	struct request *one;

	for (one = waiting; one < waiting + WAITING; one++) {
		if (one->deadline && one->deadline <= now)
			insist(one);
		if (one->deadline && (least < 0 || one->deadline - now < least))
			least = one->deadline > now ? one->deadline - now : 0;
	}
	return least;
}

int select(int count, fd_set *files, fd_set *writable, fd_set *exceptions, struct timeval *timeout)
{
	fd_set wanted = *files;
	NEXT(select);

	for (;;) {
		long long left = look_after();
		struct timeval until = { left / 1000, left % 1000 * 1000 };
		int found;

		*files = wanted;
		found = next(count, files, writable, exceptions, left < 0 ? timeout : &until);
		if (found || left < 0)
			return found;
	}
}
