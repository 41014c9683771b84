/* SPDX-License-Identifier: MIT */
/*
 * ncurses keeps what the terminal shows and sends what differs. Nothing is drawn outside the
 * terminal's size, however small it is; every text is escaped, and cut at its column.
 */
#define NCURSES_WIDECHAR 1

#include "top_screen.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include <ncurses.h>

#include "bytes.h"

#define ROW_TITLE   0
#define ROW_TOTALS  1
#define ROW_TABS    2
#define ROW_MESSAGE 3
#define ROW_HEADING 4
#define ROW_FIRST   5 /* of the table; the last row of the screen is for the keys */

#define NAME_MAX_BYTES 2048
#define CELL_MAX       32

static const char *const view_names[TOP_VIEW_COUNT] = {
    [TOP_SOURCES] = "Sources", [TOP_PREFIXES] = "Prefixes", [TOP_FLOWS] = "Flows"};

struct column {
	const char *heading;
	int width; /* 0: the rest of the line */
};

static const struct column columns[TOP_SORT_COUNT] = {
    [TOP_BY_PACKET_RATE] = {"PACKETS/S", 9},
    [TOP_BY_BYTE_RATE] = {"BYTES/S", 8},
    [TOP_BY_PACKETS] = {"PACKETS", 9},
    [TOP_BY_BYTES] = {"BYTES", 7},
    [TOP_BY_LOST] = {"LOST", 7},
    [TOP_BY_NAME] = {"", 0},
};

static const char *const name_headings[TOP_VIEW_COUNT] = {
    [TOP_SOURCES] = "NETNS/GROUP", [TOP_PREFIXES] = "PREFIX", [TOP_FLOWS] = "NETNS FLOW"};

/* Losses are of sources: nobody knows what a lost packet was. */
static bool has_column(enum top_view view, enum top_sort column)
{
	return column != TOP_BY_LOST || view == TOP_SOURCES;
}

/* --- the terminal ------------------------------------------------------------------------ */

/* ^S would stop every write, and with it what takes signals. */
static void ignore_flow_control(void)
{
	struct termios settings;

	if (tcgetattr(STDIN_FILENO, &settings) < 0)
		return;
	settings.c_iflag &= ~(tcflag_t)IXON;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &settings);
	(void)def_prog_mode();
}

int top_screen_open(struct top_screen *screen)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return -ENOTTY;
	(void)setlocale(LC_CTYPE, "");
	(void)set_escdelay(25);
	screen->terminal = newterm(NULL, stdout, stdin);
	if (!screen->terminal)
		return -EINVAL;
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, true);
	(void)nodelay(stdscr, true);
	(void)curs_set(0);
	ignore_flow_control();
	return 0;
}

void top_screen_close(struct top_screen *screen)
{
	if (!screen->terminal)
		return;
	(void)endwin();
	delscreen(screen->terminal);
	screen->terminal = NULL;
}

void top_screen_suspend(struct top_screen *screen)
{
	(void)endwin();
	(void)raise(SIGSTOP); /* SIGTSTP itself is blocked */
	top_screen_resize(screen);
}

void top_screen_resize(struct top_screen *screen)
{
	struct winsize size;

	(void)screen;
	(void)reset_prog_mode();
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
		(void)resizeterm(size.ws_row, size.ws_col);
	(void)clearok(curscr, true);
}

/* --- texts ------------------------------------------------------------------------------- */

/* Columns of the first characters of a text that have room in width; what is printed of it. */
static size_t fit(const char *text, int width, wchar_t *to, size_t cap, int *ret_used)
{
	mbstate_t state = {0};
	size_t count = 0;

	*ret_used = 0;
	while (*text && count + 1 < cap) {
		wchar_t wide = L'?';
		size_t len = mbrtowc(&wide, text, MB_LEN_MAX, &state);
		int columns_needed = wcwidth(wide);

		if (len == (size_t)-1 || len == (size_t)-2 || columns_needed < 0) {
			wide = L'?'; /* not of this terminal's character set */
			columns_needed = 1;
			len = 1;
			state = (mbstate_t){0};
		}
		if (*ret_used + columns_needed > width)
			break;
		to[count++] = wide;
		*ret_used += columns_needed;
		text += len;
	}
	to[count] = L'\0';
	return count;
}

/* Puts a text at a place, in so many columns at most. Returns the columns it takes. */
static int put(int row, int column, int width, const char *text)
{
	wchar_t wide[NAME_MAX_BYTES];
	int used = 0;

	if (row >= LINES || column >= COLS)
		return 0;
	if (width > COLS - column)
		width = COLS - column;
	(void)mvaddnwstr(row, column, wide, (int)fit(text, width, wide, ARRAY_SIZE(wide), &used));
	return used;
}

static void put_right(int row, int column, int width, const char *text)
{
	int padding = width - (int)strlen(text); /* numbers and headings are ASCII */

	(void)put(row, column + (padding > 0 ? padding : 0), width, text);
}

/* 1234 is "1234", 1234567 is "1.23M": at most six characters. */
static void short_number(double value, char buf[CELL_MAX])
{
	static const char units[] = " kMGTPE";
	size_t unit = 0;
	int digits;

	if (value < 9999.5) {
		(void)snprintf(buf, CELL_MAX, "%.0f", value);
		return;
	}
	while (value >= 999.5 && unit + 2 < sizeof(units)) {
		value /= 1000;
		unit++;
	}
	digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	(void)snprintf(buf, CELL_MAX, "%.*f%c", digits, value, units[unit]);
}

/* A rate below ten has a digit behind the point: one packet in two seconds is not none. */
static void short_rate(double value, char buf[CELL_MAX])
{
	if (value > 0 && value < 9.95)
		(void)snprintf(buf, CELL_MAX, "%.1f", value);
	else
		short_number(value, buf);
}

/* --- order ------------------------------------------------------------------------------- */

struct order {
	enum top_view view;
	enum top_sort sort;
};

static int compare_numbers(double a, double b)
{
	return (a < b) - (a > b); /* the largest first */
}

static int compare_names(enum top_view view, const struct heavy_entry *a,
			 const struct heavy_entry *b)
{
	char left[NAME_MAX_BYTES], right[NAME_MAX_BYTES];

	top_row_name(view, a, left, sizeof(left));
	top_row_name(view, b, right, sizeof(right));
	return strcmp(left, right);
}

static int compare_rows(const void *left, const void *right, void *data)
{
	const struct heavy_entry *a = left, *b = right;
	const struct order *order = data;
	int r = 0;

	switch (order->sort) {
	case TOP_BY_PACKET_RATE:
		r = compare_numbers(a->packet_rate, b->packet_rate);
		break;
	case TOP_BY_BYTE_RATE:
		r = compare_numbers(a->byte_rate, b->byte_rate);
		break;
	case TOP_BY_PACKETS:
		break;
	case TOP_BY_BYTES:
		r = compare_numbers((double)a->total.bytes, (double)b->total.bytes);
		break;
	case TOP_BY_LOST:
		r = compare_numbers((double)a->total.lost, (double)b->total.lost);
		break;
	case TOP_BY_NAME:
		return compare_names(order->view, a, b);
	}
	if (r == 0)
		r = compare_numbers((double)a->total.packets, (double)b->total.packets);
	return r != 0 ? r : compare_names(order->view, a, b);
}

static void sort_rows(const struct top_screen *screen, struct top_snapshot *snapshot)
{
	struct order order = {screen->view, screen->sort};

	qsort_r(snapshot->rows[screen->view], snapshot->counts[screen->view],
		sizeof(struct heavy_entry), compare_rows, &order);
}

/* --- the screen -------------------------------------------------------------------------- */

static void draw_title(const struct top_screen *screen)
{
	char text[512], clock[16] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm))
		(void)strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	(void)snprintf(text, sizeof(text), "nflogctl top  %s  %s%s", clock, screen->server,
		       screen->paused ? "  PAUSED" : "");
	(void)attr_on(A_BOLD, NULL);
	(void)put(ROW_TITLE, 0, COLS, text);
	(void)attr_off(A_BOLD, NULL);
}

static void draw_totals(const struct top_snapshot *snapshot)
{
	char packet_rate[CELL_MAX], byte_rate[CELL_MAX], packets[CELL_MAX], bytes[CELL_MAX];
	char text[256];

	short_rate(snapshot->packet_rate, packet_rate);
	short_rate(snapshot->byte_rate, byte_rate);
	short_number((double)snapshot->packets, packets);
	short_number((double)snapshot->bytes, bytes);
	(void)snprintf(text, sizeof(text),
		       "%s packets/s  %s bytes/s  total %s packets  %s bytes  lost %" PRIu64 "%s",
		       packet_rate, byte_rate, packets, bytes, snapshot->lost,
		       snapshot->lost_is_bound ? ", at least" : "");
	(void)put(ROW_TOTALS, 0, COLS, text);
}

static void draw_tabs(const struct top_screen *screen, const struct top_snapshot *snapshot)
{
	int column = 0;

	for (int i = 0; i < TOP_VIEW_COUNT; i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), " %d %s %zu%s ", i + 1, view_names[i],
			       snapshot->counts[i], snapshot->counts[i] == TOP_ROWS_MAX ? "+" : "");
		if (i == (int)screen->view)
			(void)attr_on(A_REVERSE, NULL);
		column += put(ROW_TABS, column, COLS, text) + 1;
		(void)attr_off(A_REVERSE, NULL);
	}
}

static void draw_headings(const struct top_screen *screen)
{
	int at = 0;

	(void)attr_on(A_REVERSE, NULL);
	(void)mvhline(ROW_HEADING, 0, ' ', COLS);
	for (unsigned i = 0; i < TOP_SORT_COUNT; i++) {
		const struct column *column = &columns[i];
		attr_t chosen = i == screen->sort ? A_BOLD | A_UNDERLINE : 0;

		if (!has_column(screen->view, i))
			continue;
		(void)attr_on(chosen, NULL);
		if (column->width > 0)
			put_right(ROW_HEADING, at, column->width, column->heading);
		else
			(void)put(ROW_HEADING, at, COLS, name_headings[screen->view]);
		(void)attr_off(chosen, NULL);
		at += column->width + 1;
	}
	(void)attr_off(A_REVERSE, NULL);
}

static void cell_text(enum top_sort column, const struct heavy_entry *row, char buf[CELL_MAX])
{
	switch (column) {
	case TOP_BY_PACKET_RATE:
		short_rate(row->packet_rate, buf);
		break;
	case TOP_BY_BYTE_RATE:
		short_rate(row->byte_rate, buf);
		break;
	case TOP_BY_PACKETS:
		short_number((double)row->total.packets, buf);
		break;
	case TOP_BY_BYTES:
		short_number((double)row->total.bytes, buf);
		break;
	case TOP_BY_LOST:
		short_number((double)row->total.lost, buf);
		break;
	case TOP_BY_NAME:
		break;
	}
	/* There may have been more before the row came into a full table. */
	if (row->lower_bound && (column == TOP_BY_PACKETS || column == TOP_BY_BYTES))
		(void)strcpy(buf + strlen(buf), "+"); /* numbers have six characters */
}

static void draw_row(const struct top_screen *screen, int line, const struct heavy_entry *row)
{
	char text[NAME_MAX_BYTES];
	int at = 0;

	for (unsigned i = 0; i < TOP_SORT_COUNT; i++) {
		char cell[CELL_MAX] = "";

		if (!has_column(screen->view, i))
			continue;
		if (columns[i].width > 0) {
			cell_text(i, row, cell);
			put_right(line, at, columns[i].width, cell);
		}
		at += columns[i].width + 1;
	}
	top_row_name(screen->view, row, text, sizeof(text));
	(void)put(line, at - 1, COLS, text);
}

static void draw_rows(struct top_screen *screen, const struct top_snapshot *snapshot)
{
	size_t count = snapshot->counts[screen->view];
	size_t room = LINES > ROW_FIRST + 1 ? (size_t)(LINES - ROW_FIRST - 1) : 0;
	size_t last = count > room ? count - room : 0;

	if (screen->scroll > last)
		screen->scroll = last;
	for (size_t i = 0; i < room && screen->scroll + i < count; i++)
		draw_row(screen, ROW_FIRST + (int)i,
			 &snapshot->rows[screen->view][screen->scroll + i]);
}

static void draw_keys(void)
{
	(void)attr_on(A_REVERSE, NULL);
	(void)mvhline(LINES - 1, 0, ' ', COLS);
	(void)put(LINES - 1, 0, COLS,
		  " q quit  Tab view  < > sort  space pause  up down scroll  c count anew");
	(void)attr_off(A_REVERSE, NULL);
}

void top_screen_draw(struct top_screen *screen, struct top_snapshot *snapshot)
{
	sort_rows(screen, snapshot);
	(void)erase();
	draw_title(screen);
	draw_totals(snapshot);
	draw_tabs(screen, snapshot);
	(void)put(ROW_MESSAGE, 0, COLS, snapshot->message);
	draw_headings(screen);
	draw_rows(screen, snapshot);
	draw_keys();
	(void)refresh();
}

/* --- keys -------------------------------------------------------------------------------- */

static void choose_view(struct top_screen *screen, enum top_view view)
{
	screen->view = view;
	screen->scroll = 0;
	if (!has_column(view, screen->sort))
		screen->sort = TOP_BY_PACKET_RATE;
}

static void choose_sort(struct top_screen *screen, unsigned step)
{
	do {
		screen->sort = (screen->sort + step) % TOP_SORT_COUNT;
	} while (!has_column(screen->view, screen->sort));
	screen->scroll = 0;
}

static void scroll_up(struct top_screen *screen, size_t rows)
{
	screen->scroll -= rows < screen->scroll ? rows : screen->scroll;
}

static enum top_wish take_key(struct top_screen *screen, int key)
{
	size_t page = LINES > ROW_FIRST + 2 ? (size_t)(LINES - ROW_FIRST - 2) : 1;

	if (key >= '1' && key < '1' + TOP_VIEW_COUNT)
		choose_view(screen, (enum top_view)(key - '1'));
	else if (key == '\t')
		choose_view(screen, (screen->view + 1) % TOP_VIEW_COUNT);
	else if (key == '>' || key == KEY_RIGHT)
		choose_sort(screen, 1);
	else if (key == '<' || key == KEY_LEFT)
		choose_sort(screen, TOP_SORT_COUNT - 1);
	else if (key == ' ' || key == 'p')
		screen->paused = !screen->paused;
	else if (key == KEY_DOWN || key == 'j')
		screen->scroll++; /* draw_rows() knows the end */
	else if (key == KEY_UP || key == 'k')
		scroll_up(screen, 1);
	else if (key == KEY_NPAGE)
		screen->scroll += page;
	else if (key == KEY_PPAGE)
		scroll_up(screen, page);
	else if (key == KEY_HOME)
		screen->scroll = 0;
	else if (key == 'c')
		return TOP_WISH_CLEAR;
	else if (key == 'q' || key == 'Q')
		return TOP_WISH_QUIT;
	return TOP_WISH_NONE;
}

enum top_wish top_screen_keys(struct top_screen *screen)
{
	enum top_wish wish = TOP_WISH_NONE;
	int key;

	while (wish != TOP_WISH_QUIT && (key = getch()) != ERR) {
		enum top_wish one = take_key(screen, key);

		wish = one == TOP_WISH_NONE ? wish : one;
	}
	return wish;
}
