/* Lets ibsim pass on what answers a subnet manager's trap.
 *
 * ibsim drops every TrapRepress, as its own traps need none. A manager that finds a master of lower priority sends a
 * trap itself and waits for that answer; the library of the simulator knows no timeout, so it would wait for ever, and
 * never manage the subnet that it was handed. While such a datagram is inside of ibsim it is called a response, which
 * goes back to the program that asked. ibsim's own traps have the transaction 0.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

enum { PACKET = 288, DATAGRAM = 32, CLASS = DATAGRAM + 1, METHOD = DATAGRAM + 3, TRANSACTION = DATAGRAM + 12 };
enum { SUBNET_MANAGEMENT = 0x01, TRAP_REPRESS = 0x07, RESPONSE = 0x80 };

static int is(const unsigned char *packet, ssize_t size, unsigned char method)
{
	return size == PACKET && packet[CLASS] == SUBNET_MANAGEMENT && packet[METHOD] == method;
}

ssize_t read(int file, void *buffer, size_t count)
{
	static ssize_t (*next)(int, void *, size_t);
	static const unsigned char none[4];
	unsigned char *packet = buffer;
	ssize_t size;

	if (!next)
		next = (ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
	size = next(file, buffer, count);
	if (is(packet, size, TRAP_REPRESS) && memcmp(packet + TRANSACTION, none, sizeof(none)))
		packet[METHOD] |= RESPONSE;
	return size;
}

ssize_t write(int file, const void *buffer, size_t count)
{
	static ssize_t (*next)(int, const void *, size_t);
	unsigned char packet[PACKET];

	if (!next)
		next = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
	if (!is(buffer, (ssize_t)count, TRAP_REPRESS | RESPONSE))
		return next(file, buffer, count);
	memcpy(packet, buffer, sizeof(packet));
	packet[METHOD] = TRAP_REPRESS;
	return next(file, packet, sizeof(packet));
}
