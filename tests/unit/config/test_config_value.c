/* SPDX-License-Identifier: MIT */
/* The text forms of numbers, sizes, modes, ranges and endpoints: what is one and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "value.h"

#define UNTOUCHED UINT64_C(12345)

struct example {
	const char *text;
	bool right;
	uint64_t value;
};

static void check_all(const struct example *examples, size_t count,
		      bool (*parse)(const char *text, uint64_t *ret))
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = UNTOUCHED;

		print_message("    \"%s\"\n", examples[i].text);
		assert_int_equal(parse(examples[i].text, &value), examples[i].right);
		assert_true(value == (examples[i].right ? examples[i].value : UNTOUCHED));
	}
}

#define CHECK_ALL(examples, parse)                                                                 \
	check_all(examples, sizeof(examples) / sizeof((examples)[0]), parse)

static void a_number_is_decimal_digits_and_nothing_else(void **state)
{
	static const struct example examples[] = {
	    {"0", true, 0},
	    {"65535", true, 65535},
	    {"18446744073709551615", true, UINT64_MAX},
	    {"18446744073709551616", true, UINT64_MAX}, /* for the bounds to refuse */
	    {"99999999999999999999999", true, UINT64_MAX},
	    {"", false, 0},
	    {"00", false, 0},
	    {"010", false, 0},
	    {"-1", false, 0},
	    {"+1", false, 0},
	    {" 1", false, 0},
	    {"1 ", false, 0},
	    {"0x10", false, 0},
	    {"1.0", false, 0},
	    {"1e3", false, 0},
	};

	(void)state;
	CHECK_ALL(examples, value_parse_number);
}

static void a_size_has_at_most_one_unit_of_powers_of_1024(void **state)
{
	static const struct example examples[] = {
	    {"0", true, 0},
	    {"4096", true, 4096},
	    {"64k", true, 65536},
	    {"64K", true, 65536},
	    {"8M", true, 8388608},
	    {"8m", true, 8388608},
	    {"2G", true, UINT64_C(2147483648)},
	    {"2g", true, UINT64_C(2147483648)},
	    {"17179869183G", true, UINT64_C(18446744072635809792)},
	    {"17179869184G", true, UINT64_MAX},
	    {"K", false, 0},
	    {"8T", false, 0},
	    {"8MB", false, 0},
	    {"8 M", false, 0},
	    {"08M", false, 0},
	    {"1.5M", false, 0},
	};

	(void)state;
	CHECK_ALL(examples, value_parse_size);
}

static void a_mode_is_three_octal_digits_after_an_optional_zero(void **state)
{
	static const struct example examples[] = {
	    {"0660", true, 0660}, {"660", true, 0660}, {"000", true, 0},  {"0777", true, 0777},
	    {"0888", false, 0},   {"1777", false, 0},  {"66", false, 0},  {"", false, 0},
	    {"00660", false, 0},  {"0o660", false, 0}, {"66x", false, 0}, {"-660", false, 0},
	};

	(void)state;
	CHECK_ALL(examples, value_parse_mode);
}

static void a_range_is_one_number_or_two(void **state)
{
	uint64_t first = UNTOUCHED, last = UNTOUCHED;

	(void)state;
	assert_true(value_parse_range("100", &first, &last));
	assert_true(first == 100 && last == 100);
	assert_true(value_parse_range("110-119", &first, &last));
	assert_true(first == 110 && last == 119);
	assert_true(value_parse_range("3-2", &first, &last)); /* the caller knows what to say */
	assert_true(first == 3 && last == 2);
	assert_false(value_parse_range("1-", &first, &last));
	assert_false(value_parse_range("-1", &first, &last));
	assert_false(value_parse_range("1-2-3", &first, &last));
	assert_false(value_parse_range("1 - 2", &first, &last));
	assert_false(value_parse_range("", &first, &last));
	assert_true(first == 3 && last == 2);
}

static void an_endpoint_is_a_numeric_address_and_a_port(void **state)
{
	static const struct {
		const char *text;
		bool right, loopback;
	} examples[] = {
	    {"127.0.0.1:7443", true, true},
	    {"127.255.0.9:1", true, true},
	    {"[::1]:65535", true, true},
	    {"[::ffff:127.0.0.1]:1", true, true},
	    {"0.0.0.0:7443", true, false},
	    {"128.0.0.1:1", true, false},
	    {"[::]:1", true, false},
	    {"[::ffff:10.0.0.1]:1", true, false},
	    {"[fe80::1%eth0]:1", false, false},
	    {"localhost:1", false, false},
	    {"127.1:1", false, false},
	    {"127.0.0.1", false, false},
	    {"127.0.0.1:", false, false},
	    {"127.0.0.1:0", false, false},
	    {"127.0.0.1:65536", false, false},
	    {"127.0.0.1:http", false, false},
	    {"::1:7443", false, false},
	    {"[::1]7443", false, false},
	    {"[::1:7443", false, false},
	    {"[127.0.0.1]:1", false, false},
	    {"[", false, false},
	    {":", false, false},
	    {"", false, false},
	    {"1111111111111111111111111111111111111111111111111111111111111111:1", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		bool loopback = !examples[i].loopback;

		print_message("    \"%s\"\n", examples[i].text);
		assert_int_equal(value_parse_endpoint(examples[i].text, &loopback),
				 examples[i].right);
		if (examples[i].right)
			assert_int_equal(loopback, examples[i].loopback);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_number_is_decimal_digits_and_nothing_else),
	    cmocka_unit_test(a_size_has_at_most_one_unit_of_powers_of_1024),
	    cmocka_unit_test(a_mode_is_three_octal_digits_after_an_optional_zero),
	    cmocka_unit_test(a_range_is_one_number_or_two),
	    cmocka_unit_test(an_endpoint_is_a_numeric_address_and_a_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
