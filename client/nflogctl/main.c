/* SPDX-License-Identifier: MIT */
/* nflogctl: what is common to all commands. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "options.h"
#include "settings.h"

static void print_help(FILE *f)
{
	const struct command *command;

	(void)fputs(
	    "Usage: nflogctl [OPTION]... COMMAND [ARGUMENT]...\n\n"
	    "Talk to nflogd, which streams the netfilter log of many network namespaces.\n\n"
	    "Commands:\n",
	    f);
	for (size_t i = 0; (command = commands_at(i)); i++)
		if (command->summary)
			(void)fprintf(f, "  %-12s %s\n", command->name, command->summary);
	(void)fprintf(f, "  %-12s %s\n", "help", "print the help of a command");
	options_print(NULL, f);
}

static void print_command_help(const struct command *command, FILE *f)
{
	(void)fprintf(f, "Usage: nflogctl %s [OPTION]...%s%s\n\n%s\n", command->name,
		      *command->arguments ? " " : "", command->arguments, command->text);
	options_print(command, f);
}

/* What was printed must have arrived: "nflogctl list > full.disk" is an error. */
static int finish_stdout(int exit_code)
{
	errno = 0;
	if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE)
		return exit_code; /* the reader of a pipe may leave when it likes */
	complain("cannot write to standard output: %s", strerror(errno));
	return exit_code == EXIT_DONE ? EXIT_ERROR : exit_code;
}

static int print_info(const struct common *common, const struct command *command)
{
	if (common->version)
		(void)puts("nflogctl " NFL_VERSION);
	else if (command)
		print_command_help(command, stdout);
	else
		print_help(stdout);
	return EXIT_DONE;
}

/* argv[0] is "help". */
static int run_help(struct common *common, int argc, char **argv)
{
	const struct command *command = NULL;
	int first;
	int r = options_parse(NULL, common, argc, argv, &first);

	if (r != EXIT_DONE)
		return r;
	if (argc - first > 1)
		return complain_usage(NULL, "help: unexpected argument %s", argv[first + 1]);
	if (first < argc) {
		command = commands_find(argv[first]);
		if (!command)
			return complain_usage(NULL, "unknown command %s", argv[first]);
	}
	return print_info(common, command);
}

/* argv[0] is the command's name. */
static int run_command(struct common *common, int argc, char **argv)
{
	const struct command *command;
	int first, r;

	if (strcmp(argv[0], "help") == 0)
		return run_help(common, argc, argv);
	command = commands_find(argv[0]);
	if (!command)
		return complain_usage(NULL, "unknown command %s", argv[0]);
	r = options_parse(command, common, argc, argv, &first);
	if (r != EXIT_DONE)
		return r;
	if (common->help || common->version)
		return print_info(common, command);
	if (!command->bare)
		r = settings_apply(command, common);
	if (r != EXIT_DONE)
		return r;
	return command->run(command, common, argc - first, argv + first);
}

int main(int argc, char **argv)
{
	static struct common common; /* its lists are never freed */
	int first, r;

	/* A reader that went away is an error of write(), not the end of the process. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* gRPC's own log lines would go to stderr; what matters comes as a status. */
	(void)setenv("GRPC_VERBOSITY", "NONE", 0);
	r = options_parse(NULL, &common, argc, argv, &first);
	if (r != EXIT_DONE)
		return r;
	if (first < argc)
		return finish_stdout(run_command(&common, argc - first, argv + first));
	if (common.help || common.version)
		return finish_stdout(print_info(&common, NULL));
	print_help(stderr);
	return EXIT_USAGE;
}
