/* SPDX-License-Identifier: MIT */
/*
 * request.c - NFULNL_MSG_CONFIG messages and NLMSG_ERROR
 *
 * Numbers inside the attributes are big-endian. In host order they would be accepted and mean
 * something else: a copy range becomes "everything", a buffer of 64 KiB becomes 256 bytes and is
 * ignored. Called by open.c and socket.c.
 */
#include "request.h"

#include <endian.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>

#include <nfl/listener.h>

#define CONFIG_TYPE           ((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_CONFIG)
#define TIMEOUT_UNITS_PER_SEC 100U
#define MS_PER_SEC            1000U

/* The kernel's headers give the bits as an enum without a name for the attribute's type. */
_Static_assert(NFL_FLAG_SEQ == NFULNL_CFG_F_SEQ && NFL_FLAG_SEQ_GLOBAL == NFULNL_CFG_F_SEQ_GLOBAL &&
		   NFL_FLAG_CONNTRACK == NFULNL_CFG_F_CONNTRACK,
	       "flags go to the kernel as they are");

static struct nlmsghdr *begin(uint16_t group, uint32_t seq, struct request *ret)
{
	struct nfgenmsg *genmsg;
	struct nlmsghdr *header;

	memset(ret, 0, sizeof(*ret));
	ret->seq = seq;
	header = mnl_nlmsg_put_header(ret->bytes);
	header->nlmsg_type = CONFIG_TYPE;
	header->nlmsg_flags = NLM_F_REQUEST;
	if (seq != REQUEST_UNANSWERED)
		header->nlmsg_flags |= NLM_F_ACK;
	header->nlmsg_seq = seq;
	genmsg = mnl_nlmsg_put_extra_header(header, sizeof(*genmsg));
	genmsg->version = NFNETLINK_V0;
	genmsg->res_id = htobe16(group);
	return header;
}

static void put_command(struct nlmsghdr *header, uint8_t command)
{
	const struct nfulnl_msg_config_cmd cmd = {.command = command};

	mnl_attr_put(header, NFULA_CFG_CMD, sizeof(cmd), &cmd);
}

static uint8_t kernel_copy_mode(enum nfl_copy_mode mode)
{
	switch (mode) {
	case NFL_COPY_PACKET:
		return NFULNL_COPY_PACKET;
	case NFL_COPY_META:
		return NFULNL_COPY_META;
	case NFL_COPY_NONE:
		return NFULNL_COPY_NONE;
	}
	return NFULNL_COPY_PACKET; /* options_resolve() lets nothing else through */
}

static void put_settings(struct nlmsghdr *header, const struct nfl_listener_options *o)
{
	const struct nfulnl_msg_config_mode mode = {
	    .copy_range = htobe32(o->copy_range),
	    .copy_mode = kernel_copy_mode(o->copy_mode),
	};
	uint32_t timeout = o->timeout_ms / (MS_PER_SEC / TIMEOUT_UNITS_PER_SEC);

	mnl_attr_put(header, NFULA_CFG_MODE, sizeof(mode), &mode);
	if (o->nlbufsiz)
		mnl_attr_put_u32(header, NFULA_CFG_NLBUFSIZ, htobe32(o->nlbufsiz));
	mnl_attr_put_u32(header, NFULA_CFG_TIMEOUT, htobe32(timeout));
	mnl_attr_put_u32(header, NFULA_CFG_QTHRESH, htobe32(o->qthresh));
	mnl_attr_put_u16(header, NFULA_CFG_FLAGS, htobe16((uint16_t)o->flags));
}

void request_bind(const struct nfl_listener_options *resolved, uint32_t seq, struct request *ret)
{
	struct nlmsghdr *header = begin(resolved->group, seq, ret);

	put_command(header, NFULNL_CFG_CMD_BIND);
	put_settings(header, resolved);
	ret->len = header->nlmsg_len;
}

void request_settings(const struct nfl_listener_options *resolved, uint32_t seq,
		      struct request *ret)
{
	struct nlmsghdr *header = begin(resolved->group, seq, ret);
	struct nfl_listener_options all = *resolved;

	/* Not to send it would leave what was set before. */
	if (!all.nlbufsiz)
		all.nlbufsiz = NFL_NLBUFSIZ_MIN;
	put_settings(header, &all);
	ret->len = header->nlmsg_len;
}

void request_unbind(uint16_t group, uint32_t seq, struct request *ret)
{
	struct nlmsghdr *header = begin(group, seq, ret);

	put_command(header, NFULNL_CFG_CMD_UNBIND);
	ret->len = header->nlmsg_len;
}

bool request_is_answer(const void *datagram, size_t len, uint32_t *ret_seq, int *ret_error)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr body;
	} answer;

	if (len < sizeof(answer))
		return false;
	memcpy(&answer, datagram, sizeof(answer));
	if (answer.header.nlmsg_type != NLMSG_ERROR || answer.header.nlmsg_len < sizeof(answer))
		return false;
	*ret_seq = answer.header.nlmsg_seq;
	*ret_error = answer.body.error;
	return true;
}
