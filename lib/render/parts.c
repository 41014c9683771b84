/* SPDX-License-Identifier: MIT */
/* Names of TCP flags and of the ICMP messages that people meet, worded as tcpdump does. */
#include "parts.h"

#include <stddef.h>

#include "bytes.h"

#define ANY_CODE (-1)

const char *const tcp_flag_names[TCP_FLAG_COUNT] = {
    "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE",
};

struct icmp_message {
	uint8_t type;
	int16_t code;
	const char *name;
};

static const struct icmp_message icmp4_messages[] = {
    {0, ANY_CODE, "echo reply"},
    {3, 0, "net unreachable"},
    {3, 1, "host unreachable"},
    {3, 2, "protocol unreachable"},
    {3, 3, "port unreachable"},
    {3, 4, "fragmentation needed"},
    {3, 9, "net prohibited"},
    {3, 10, "host prohibited"},
    {3, 13, "admin prohibited"},
    {4, ANY_CODE, "source quench"},
    {5, ANY_CODE, "redirect"},
    {8, ANY_CODE, "echo request"},
    {9, ANY_CODE, "router advertisement"},
    {10, ANY_CODE, "router solicitation"},
    {11, 0, "time exceeded"},
    {11, 1, "reassembly time exceeded"},
    {12, ANY_CODE, "parameter problem"},
    {13, ANY_CODE, "timestamp request"},
    {14, ANY_CODE, "timestamp reply"},
};

static const struct icmp_message icmp6_messages[] = {
    {1, 0, "no route"},
    {1, 1, "admin prohibited"},
    {1, 3, "address unreachable"},
    {1, 4, "port unreachable"},
    {1, 5, "source address failed policy"},
    {1, 6, "reject route"},
    {2, ANY_CODE, "packet too big"},
    {3, 0, "time exceeded"},
    {3, 1, "reassembly time exceeded"},
    {4, ANY_CODE, "parameter problem"},
    {128, ANY_CODE, "echo request"},
    {129, ANY_CODE, "echo reply"},
    {130, ANY_CODE, "multicast listener query"},
    {131, ANY_CODE, "multicast listener report"},
    {132, ANY_CODE, "multicast listener done"},
    {133, ANY_CODE, "router solicitation"},
    {134, ANY_CODE, "router advertisement"},
    {135, ANY_CODE, "neighbor solicitation"},
    {136, ANY_CODE, "neighbor advertisement"},
    {137, ANY_CODE, "redirect"},
    {143, ANY_CODE, "multicast listener report v2"},
};

static const char *icmp_find(const struct icmp_message *messages, size_t count, uint8_t type,
			     uint8_t code)
{
	for (size_t i = 0; i < count; i++)
		if (messages[i].type == type &&
		    (messages[i].code == ANY_CODE || messages[i].code == code))
			return messages[i].name;
	return NULL;
}

const char *icmp_name(bool is_v6, uint8_t type, uint8_t code)
{
	if (is_v6)
		return icmp_find(icmp6_messages, ARRAY_SIZE(icmp6_messages), type, code);
	return icmp_find(icmp4_messages, ARRAY_SIZE(icmp4_messages), type, code);
}
