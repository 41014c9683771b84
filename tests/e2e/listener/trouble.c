/* SPDX-License-Identifier: MIT */
/* Load, a slow kernel and forgers. Every request to the kernel passes through here (--wrap=sendto). */
#include "trouble.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>

#include "cleanup.h"

static void *send_on(void *data)
{
	struct flood *flood = data;

	while (!atomic_load(&flood->stop)) {
		lab_send(flood->lab, 1);
		atomic_store(&flood->is_sending, true);
	}
	return NULL;
}

void flood_start(struct flood *flood, struct lab *lab)
{
	*flood = (struct flood){.lab = lab};
	assert_int_equal(pthread_create(&flood->thread, NULL, send_on, flood), 0);
	while (!atomic_load(&flood->is_sending))
		(void)sched_yield();
}

void flood_end(struct flood *flood)
{
	atomic_store(&flood->stop, true);
	assert_int_equal(pthread_join(flood->thread, NULL), 0);
}

/* BIND, the settings and the answer are microseconds apart; packets come between them where another
 * core is fast. Here they always do: first goes a request with BIND alone, then one with the settings,
 * then the settings again, asking for an answer. */
static struct lab *slow_kernel;
static size_t early_packets;
static const struct lab *forger;
static unsigned requests;

ssize_t __real_sendto(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *to,
		      socklen_t to_len);
ssize_t __wrap_sendto(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *to,
		      socklen_t to_len);

void trouble_slow_kernel(struct lab *lab, size_t packets)
{
	slow_kernel = lab;
	early_packets = packets;
}

void trouble_forge_first(const struct lab *lab)
{
	forger = lab;
}

unsigned trouble_requests(void)
{
	return requests;
}

static int open_netfilter_socket(void *data)
{
	(void)data;
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
}

void trouble_forge(const struct lab *lab, uint32_t port_id)
{
	const struct nfulnl_msg_packet_hdr packet = {.hook = 3};
	const struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = port_id};
	CLEANUP(closep) int fd = test_netns_call(&lab->netns, open_netfilter_socket, NULL);
	_Alignas(8) uint8_t bytes[128] = {0};
	struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);

	assert_true(fd >= 0);
	header->nlmsg_type = (NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET;
	(void)mnl_nlmsg_put_extra_header(header, sizeof(struct nfgenmsg));
	mnl_attr_put(header, NFULA_PACKET_HDR, sizeof(packet), &packet);
	mnl_attr_put_u32(header, NFULA_SEQ, htobe32(1000));
	assert_int_equal(__real_sendto(fd, bytes, header->nlmsg_len, 0,
				       (const struct sockaddr *)&to, sizeof(to)),
			 header->nlmsg_len);
}

static void forge_to(int fd)
{
	struct sockaddr_nl address;
	socklen_t len = sizeof(address);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	trouble_forge(forger, address.nl_pid);
}

/* Sends the attributes from `from` to `end` as a message of its own. */
static void send_part(int fd, const uint8_t *bytes, size_t from, size_t end, uint16_t flags)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	const size_t head = NLMSG_HDRLEN + sizeof(struct nfgenmsg);
	_Alignas(8) uint8_t part[128];
	struct nlmsghdr *header = (void *)part;
	size_t len = head + end - from;

	assert_in_range(len, head, sizeof(part));
	memcpy(part, bytes, head);
	memcpy(part + head, bytes + from, end - from);
	header->nlmsg_len = (uint32_t)len;
	header->nlmsg_flags = flags;
	assert_int_equal(
	    __real_sendto(fd, part, len, 0, (const struct sockaddr *)&kernel, sizeof(kernel)), len);
}

ssize_t __wrap_sendto(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *to,
		      socklen_t to_len)
{
	const size_t command = NLMSG_HDRLEN + sizeof(struct nfgenmsg), settings = command + 8;

	if (to->sa_family != AF_NETLINK)
		return __real_sendto(fd, bytes, len, flags, to, to_len);
	requests++;
	if (forger)
		forge_to(fd);
	if (!slow_kernel)
		return __real_sendto(fd, bytes, len, flags, to, to_len);
	send_part(fd, bytes, command, settings, NLM_F_REQUEST);
	lab_send(slow_kernel, early_packets);
	send_part(fd, bytes, settings, len, NLM_F_REQUEST);
	lab_send(slow_kernel, early_packets);
	send_part(fd, bytes, settings, len, NLM_F_REQUEST | NLM_F_ACK);
	return (ssize_t)len;
}
