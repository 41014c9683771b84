/* SPDX-License-Identifier: MIT */
/* record.c: the same hook number is another hook in another family; unknown numbers have no name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <nfl/record.h>

static enum nfl_hook hook_of(uint8_t family, uint8_t number)
{
	struct nfl_record record = {.family = family, .hook_number = number};

	return nfl_record_hook(&record);
}

static void assert_hooks(uint8_t family, const enum nfl_hook *expected, unsigned count)
{
	for (unsigned number = 0; number < 256; number++)
		assert_int_equal(hook_of(family, (uint8_t)number),
				 number < count ? expected[number] : NFL_HOOK_UNSPECIFIED);
}

static void ip_and_inet_hooks_end_with_ingress(void **state)
{
	static const enum nfl_hook hooks[] = {NFL_HOOK_PREROUTING,  NFL_HOOK_INPUT,
					      NFL_HOOK_FORWARD,     NFL_HOOK_OUTPUT,
					      NFL_HOOK_POSTROUTING, NFL_HOOK_INGRESS};

	(void)state;
	assert_hooks(NFL_FAMILY_IPV4, hooks, 6);
	assert_hooks(NFL_FAMILY_IPV6, hooks, 6);
	assert_hooks(NFL_FAMILY_INET, hooks, 6);
}

static void bridge_hooks_end_with_brouting(void **state)
{
	static const enum nfl_hook hooks[] = {NFL_HOOK_PREROUTING,  NFL_HOOK_INPUT,
					      NFL_HOOK_FORWARD,     NFL_HOOK_OUTPUT,
					      NFL_HOOK_POSTROUTING, NFL_HOOK_BROUTING};

	(void)state;
	assert_hooks(NFL_FAMILY_BRIDGE, hooks, 6);
}

static void arp_and_netdev_count_their_own_hooks(void **state)
{
	static const enum nfl_hook arp[] = {NFL_HOOK_INPUT, NFL_HOOK_OUTPUT, NFL_HOOK_FORWARD};
	static const enum nfl_hook netdev[] = {NFL_HOOK_INGRESS, NFL_HOOK_EGRESS};

	(void)state;
	assert_hooks(NFL_FAMILY_ARP, arp, 3);
	assert_hooks(NFL_FAMILY_NETDEV, netdev, 2);
}

static void unknown_family_has_no_hooks(void **state)
{
	(void)state;
	assert_hooks(NFL_FAMILY_UNSPECIFIED, NULL, 0);
	assert_hooks(12, NULL, 0); /* was DECnet */
	assert_hooks(255, NULL, 0);
}

static void hooks_are_named_in_upper_case(void **state)
{
	(void)state;
	assert_string_equal(nfl_hook_name(NFL_HOOK_PREROUTING), "PREROUTING");
	assert_string_equal(nfl_hook_name(NFL_HOOK_INPUT), "INPUT");
	assert_string_equal(nfl_hook_name(NFL_HOOK_FORWARD), "FORWARD");
	assert_string_equal(nfl_hook_name(NFL_HOOK_OUTPUT), "OUTPUT");
	assert_string_equal(nfl_hook_name(NFL_HOOK_POSTROUTING), "POSTROUTING");
	assert_string_equal(nfl_hook_name(NFL_HOOK_INGRESS), "INGRESS");
	assert_string_equal(nfl_hook_name(NFL_HOOK_EGRESS), "EGRESS");
	assert_string_equal(nfl_hook_name(NFL_HOOK_BROUTING), "BROUTING");
	assert_string_equal(nfl_hook_name(NFL_HOOK_UNSPECIFIED), "?");
	assert_string_equal(nfl_hook_name((enum nfl_hook)9), "?");
}

static void families_are_named_as_nft_does(void **state)
{
	(void)state;
	assert_string_equal(nfl_family_name(NFL_FAMILY_INET), "inet");
	assert_string_equal(nfl_family_name(NFL_FAMILY_IPV4), "ip");
	assert_string_equal(nfl_family_name(NFL_FAMILY_ARP), "arp");
	assert_string_equal(nfl_family_name(NFL_FAMILY_NETDEV), "netdev");
	assert_string_equal(nfl_family_name(NFL_FAMILY_BRIDGE), "bridge");
	assert_string_equal(nfl_family_name(NFL_FAMILY_IPV6), "ip6");
	assert_string_equal(nfl_family_name(0), "?");
	assert_string_equal(nfl_family_name(4), "?");
	assert_string_equal(nfl_family_name(~0U), "?");
}

static void protocols_without_a_name_have_none(void **state)
{
	(void)state;
	assert_string_equal(nfl_protocol_name(1), "ICMP");
	assert_string_equal(nfl_protocol_name(6), "TCP");
	assert_string_equal(nfl_protocol_name(17), "UDP");
	assert_string_equal(nfl_protocol_name(47), "GRE");
	assert_string_equal(nfl_protocol_name(50), "ESP");
	assert_string_equal(nfl_protocol_name(51), "AH");
	assert_string_equal(nfl_protocol_name(58), "ICMPv6");
	assert_string_equal(nfl_protocol_name(132), "SCTP");
	assert_string_equal(nfl_protocol_name(136), "UDP-Lite");
	assert_null(nfl_protocol_name(0));
	assert_null(nfl_protocol_name(137));
	assert_null(nfl_protocol_name(255));
}

static void ct_info_zero_is_established(void **state)
{
	(void)state;
	assert_string_equal(nfl_ct_info_name(0), "ESTABLISHED");
	assert_string_equal(nfl_ct_info_name(1), "RELATED");
	assert_string_equal(nfl_ct_info_name(2), "NEW");
	assert_string_equal(nfl_ct_info_name(3), "ESTABLISHED_REPLY");
	assert_string_equal(nfl_ct_info_name(4), "RELATED_REPLY");
	assert_string_equal(nfl_ct_info_name(5), "?");
	assert_string_equal(nfl_ct_info_name(7), "UNTRACKED");
	assert_string_equal(nfl_ct_info_name(UINT32_MAX), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ip_and_inet_hooks_end_with_ingress),
	    cmocka_unit_test(bridge_hooks_end_with_brouting),
	    cmocka_unit_test(arp_and_netdev_count_their_own_hooks),
	    cmocka_unit_test(unknown_family_has_no_hooks),
	    cmocka_unit_test(hooks_are_named_in_upper_case),
	    cmocka_unit_test(families_are_named_as_nft_does),
	    cmocka_unit_test(protocols_without_a_name_have_none),
	    cmocka_unit_test(ct_info_zero_is_established),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
