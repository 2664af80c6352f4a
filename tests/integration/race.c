// SPDX-License-Identifier: GPL-2.0-or-later
/* Send datagrams whose bytes stay in a page of ours (vmsplice, splice: no privilege needed), while another processor
 * changes one of them. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096, BATCH = 128 };

static void use_processor(int number)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(number, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "processor %d", number);
}

struct change {
	volatile unsigned char *byte;
	unsigned char values[2];
};

static void hold(volatile unsigned char *byte, unsigned char value, int writes)
{
	while (writes--)
		*byte = value;
}

static void *keep_changing(void *argument)
{
	const struct change *change = argument;

	use_processor(1);
	/* For all kinds of times, because nobody knows how long a reader takes. */
	for (int writes = 1;; writes = writes * 2 % 4095) {
		hold(change->byte, change->values[0], writes);
		hold(change->byte, change->values[1], writes);
	}
	return NULL;
}

static int connected(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int udp = socket(AF_INET, SOCK_DGRAM, 0), one = 1;

	/* A checksum would be computed from the bytes, and a change of them be seen. */
	if (inet_pton(AF_INET, address, &to.sin_addr) != 1 || setsockopt(udp, SOL_SOCKET, SO_NO_CHECK, &one, sizeof(one)) ||
	    connect(udp, (struct sockaddr *)&to, sizeof(to)))
		err(1, "%s", address);
	return udp;
}

int main(int argc, char **argv)
{
	unsigned char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct change change;
	pthread_t thread;
	ssize_t length;
	int udp, ends[2];

	if (argc != 6)
		errx(2, "usage: race ADDRESS PORT COUNT OFFSET VALUE <DATAGRAM");
	length = page == MAP_FAILED ? -1 : read(0, page, PAGE);
	if (length <= 0 || pipe(ends))
		err(1, "no datagram");

	udp = connected(argv[1], argv[2]);
	change = (struct change) { .byte = page + atoi(argv[4]), .values = { page[atoi(argv[4])], atoi(argv[5]) } };
	use_processor(0);
	if (pthread_create(&thread, NULL, keep_changing, &change))
		errx(1, "no thread");

	for (int i = 0; i < atoi(argv[3]); i++) {
		struct iovec whole = { page, length };

		if (vmsplice(ends[1], &whole, 1, 0) != length || splice(ends[0], NULL, udp, NULL, length, 0) != length)
			err(1, "datagram %d", i);
		/* The receiver's backlog is limited. */
		if (i % BATCH == BATCH - 1)
			usleep(2000);
	}
	return 0;
}
