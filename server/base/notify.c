/* SPDX-License-Identifier: MIT */
/* The protocol of sd_notify(3): one datagram of VARIABLE=value lines for each message. */
#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"

#define MESSAGE_BYTES 512

/* A path, or with a leading '@' a name in the abstract namespace, which has no NUL at its end. */
static int address_parse(const char *text, struct sockaddr_un *ret, socklen_t *ret_len)
{
	size_t len = strlen(text);

	if ((*text != '/' && *text != '@') || len < 2)
		return -EAFNOSUPPORT;
	if (len >= sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path, text, len);
	if (*text == '@')
		ret->sun_path[0] = '\0';
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return 0;
}

static int notify_send(const char *message)
{
	const char *name = getenv("NOTIFY_SOCKET");
	CLEANUP(closep) int fd = -1;
	struct sockaddr_un address;
	socklen_t address_len;
	int rc;

	if (!name)
		return 0;
	rc = address_parse(name, &address, &address_len);
	if (rc < 0)
		return rc;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, message, strlen(message), MSG_NOSIGNAL, (struct sockaddr *)&address,
		   address_len) < 0)
		return -errno;
	return 1;
}

int notify_ready(void)
{
	return notify_send("READY=1");
}

int notify_reloading(void)
{
	char message[MESSAGE_BYTES];

	/* systemd tells this reload from an older one by the time */
	(void)snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		       monotonic_ns() / NS_PER_US);
	return notify_send(message);
}

int notify_stopping(void)
{
	return notify_send("STOPPING=1");
}

int notify_status(const char *format, ...)
{
	char message[MESSAGE_BYTES] = "STATUS=";
	size_t len = strlen(message);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message + len, sizeof(message) - len, format, args);
	va_end(args);
	/* a newline would begin another variable: FDSTORE=1, MAINPID=1 */
	for (char *c = message; *c; c++)
		if (*c == '\n')
			*c = ' ';
	return notify_send(message);
}

int notify_watchdog(void)
{
	return notify_send("WATCHDOG=1");
}

int64_t notify_watchdog_interval_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	int64_t value;

	/* a child that inherited the environment is not the one that is watched */
	if (!usec || (pid && strtoimax(pid, NULL, 10) != getpid()))
		return 0;
	value = strtoimax(usec, NULL, 10);
	return value > 0 ? value / 2 / (NS_PER_MS / NS_PER_US) : 0;
}
