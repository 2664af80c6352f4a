// SPDX-License-Identifier: GPL-2.0-or-later
/* What a libnftables calls whose calls were renamed: the same functions, which no program stands before. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct mnl_socket;

FILE *fopeX(const char *path, const char *mode)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	return file < 0 ? NULL : fdopen(file, mode);
}

ssize_t sendmsX(int socket, const struct msghdr *message, int flags)
{
	return syscall(SYS_sendmsg, socket, message, flags);
}

ssize_t mnl_socket_sendtX(const struct mnl_socket *socket, const void *request, size_t size)
{
	ssize_t (*real)(const struct mnl_socket *, const void *, size_t);

	*(void **)&real = dlsym(RTLD_NEXT, "mnl_socket_sendto");
	return real(socket, request, size);
}

ssize_t mnl_socket_recvfroX(const struct mnl_socket *socket, void *buffer, size_t size)
{
	ssize_t (*real)(const struct mnl_socket *, void *, size_t);

	*(void **)&real = dlsym(RTLD_NEXT, "mnl_socket_recvfrom");
	return real(socket, buffer, size);
}
