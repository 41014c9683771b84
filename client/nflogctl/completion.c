/* SPDX-License-Identifier: MIT */
/*
 * nflogctl completion: a script for a shell. The script is a shim: what can stand at the cursor is
 * said by nflogctl complete, so that every shell knows the same. A candidate is never evaluated by
 * the shell, and quoted by it.
 */
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "cli.h"

static const char bash_script[] =
    "# nflogctl completion bash\n"
    "_nflogctl() {\n"
    "\tlocal line\n"
    "\tCOMPREPLY=()\n"
    "\twhile IFS= read -r line; do\n"
    "\t\tif [ \"$line\" = $'\\tfiles' ]; then\n"
    "\t\t\tcompopt -o filenames 2>/dev/null\n"
    "\t\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$2\")\n"
    "\t\t\treturn\n"
    "\t\tfi\n"
    "\t\tCOMPREPLY+=(\"$(printf %q \"${line%%$'\\t'*}\")\")\n"
    "\tdone < <(\"$1\" complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "}\n"
    "complete -F _nflogctl nflogctl\n";

static const char zsh_script[] =
    "#compdef nflogctl\n"
    "# nflogctl completion zsh\n"
    "_nflogctl() {\n"
    "\tlocal line\n"
    "\tlocal -a names lines\n"
    "\twhile IFS= read -r line; do\n"
    "\t\tif [[ $line == $'\\tfiles' ]]; then\n"
    "\t\t\tcompset -P '--*='\n"
    "\t\t\t_files\n"
    "\t\t\treturn\n"
    "\t\tfi\n"
    "\t\tnames+=(\"${line%%$'\\t'*}\")\n"
    "\t\tlines+=(\"${line/$'\\t'/  }\")\n"
    "\tdone < <(\"${words[1]}\" complete -- \"${(@Q)words[2,CURRENT]}\" 2>/dev/null)\n"
    "\tcompadd -l -d lines -a names\n"
    "}\n"
    "if [[ ${funcstack[1]} == _nflogctl ]]; then\n"
    "\t_nflogctl \"$@\"\n"
    "else\n"
    "\tcompdef _nflogctl nflogctl\n"
    "fi\n";

static const char fish_script[] =
    "# nflogctl completion fish\n"
    "function __nflogctl_complete\n"
    "\tset -l words (commandline -opc)\n"
    "\tset -l current (commandline -ct)\n"
    "\tset -l program $words[1]\n"
    "\tset -e words[1]\n"
    "\tfor line in ($program complete -- $words \"$current\" 2>/dev/null)\n"
    "\t\tif test \"$line\" = \\tfiles\n"
    "\t\t\t__fish_complete_path \"$current\"\n"
    "\t\telse\n"
    "\t\t\tprintf '%s\\n' $line\n"
    "\t\tend\n"
    "\tend\n"
    "end\n"
    "complete -c nflogctl -f -a '(__nflogctl_complete)'\n";

static const struct {
	const char *shell;
	const char *script;
} scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

static int run(const struct command *command, const struct common *common, int argc, char **argv)
{
	(void)common;
	for (size_t i = 0; argc == 1 && i < ARRAY_SIZE(scripts); i++) {
		if (strcmp(scripts[i].shell, argv[0]) == 0) {
			(void)fputs(scripts[i].script, stdout);
			return EXIT_DONE;
		}
	}
	return complain_usage(command, "completion: expected one of bash, zsh, fish");
}

const struct command command_completion = {
    .name = "completion",
    .arguments = "bash|zsh|fish",
    .summary = "print a completion script for a shell",
    .text =
	"Print a script that makes the shell complete commands, options, their values, and\n"
	"the names and groups that the server has now:\n\n"
	"  bash  nflogctl completion bash > ~/.local/share/bash-completion/completions/nflogctl\n"
	"  zsh   nflogctl completion zsh > _nflogctl, in a folder of $fpath\n"
	"  fish  nflogctl completion fish > ~/.config/fish/completions/nflogctl.fish",
    .bare = true,
    .run = run,
};
