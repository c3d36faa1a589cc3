/* SPDX-License-Identifier: MIT
 *
 * tools_stack_test - dext-stack: stacks get names, everything else passes as it came.
 */
#include <string.h>

#include "test.h"
#include "tools_support.h"

#define SECONDS 120u /* a compiler runs here */

/* What goes in is ./in; what comes out is the script's own standard error. */
#define STACK "$(dirname $dext)/dext-stack"

static struct tools_program program;

static void run_script(const char *script)
{
	tools_script(&program, SECONDS - 20, script);
}

TEST_SECONDS(stack_that_is_none_passes_unchanged, SECONDS)
{
	run_script("{ printf 'one\\n\\n    #0 /bin/sh+0x1\\nx: the stack, 0 calls\\n'\n"
		   "head -c 9000 /dev/zero | tr '\\0' a; printf '\\nthe end'; } >in\n" STACK
		   " <in 2>out; cmp in out");
	tools_check_status(&program, 0);
}

TEST_SECONDS(stack_of_files_that_cannot_be_read_passes_unchanged, SECONDS)
{
	run_script("echo text >text && mkdir dir && mkfifo pipe && printf '\\177ELF' >elf\n"
		   "{ echo 'd: the stack, 6 calls, the innermost first:'\n"
		   "n=0; for f in gone text dir pipe elf 'no code'; do echo \"    #$n $f+0x1f\"\n"
		   "n=$((n + 1)); done; echo after; } >in\n" STACK " <in 2>out; diff in out");
	tools_check_status(&program, 0);
	CHECK_STR_EQ(program.out, "");
}

TEST_SECONDS(stack_that_is_cut_off_passes_as_far_as_it_came, SECONDS)
{
	run_script("printf 'd: the stack, 3 calls:\\n    #0 a+0x1\\nother\\n    #2 c+0x3\\n"
		   "e: the stack, 2 calls:\\n    #0 f+0x4\\n' >in\n" STACK " <in 2>out; sort in >1\n"
		   "sort out >2; diff 1 2");
	tools_check_status(&program, 0);
	CHECK_STR_EQ(program.out, "");
}

TEST_SECONDS(stack_lines_that_are_no_calls_pass_unchanged, SECONDS)
{
	run_script("printf 'd: the stack, 2 calls:\\n    #0 a+1\\n    #0 +0x1\\n    #0 a+0xg\\n"
		   "    #0 a\\nd: the stack, 999 calls:\\n    #0 a+0x1\\n' >in\n" STACK
		   " <in 2>out; diff in out");
	tools_check_status(&program, 0);
	CHECK_STR_EQ(program.out, "");
}

/* A file of code whose functions are known, with debugging information or only with symbols. */
#define CODE                                                                                  \
	"cat >code.cpp <<'END'\n"                                                              \
	"volatile int sink;\n"                                                                \
	"namespace outer { struct Inner { void method(); }; }\n"                               \
	"static inline __attribute__((always_inline)) void small() { sink = 1; }\n"            \
	"void outer::Inner::method()\n"                                                       \
	"{\n"                                                                                 \
	"	small();\n"                                                                    \
	"}\n"                                                                                 \
	"END\n"                                                                               \
	"c++ -shared -fPIC -O1 $flags code.cpp -o code.so || skip no compiler\n"            \
	"at=$(nm code.so | awk '/method/ { print $1 }')\n"                                     \
	"{ echo 'd: the stack, 1 call:'; echo \"    #0 $PWD/code.so+0x$at\"; } >in\n"

TEST_SECONDS(stack_names_methods_and_what_is_inlined_in_them, SECONDS)
{
	run_script("flags=-g\n" CODE STACK " <in");
	tools_check_status(&program, 0);
	tools_check_says(&program, "outer::Inner::method at ");
	tools_check_says(&program, "/code.cpp:");
}

TEST_SECONDS(stack_without_debugging_information_has_the_names_of_symbols, SECONDS)
{
	run_script("flags=-g0\n" CODE STACK " <in");
	tools_check_status(&program, 0);
	CHECK_STR_EQ(program.err,
		     "d: the stack, 1 call:\n    #0 outer::Inner::method() in code.so\n");
}

TEST_SECONDS(stack_of_a_file_that_was_cut_does_not_end_the_reader, SECONDS)
{
	run_script("flags=-g\n" CODE "size=$(wc -c <code.so); i=1; while [ $i -lt 40 ]\n"
		   "do head -c $((size * i / 40)) code.so >cut.so; sed 's/code.so/cut.so/' in >in2\n"
		   "{ cat in2; echo goes on; } | " STACK " 2>out && tail -1 out && i=$((i + 1)) || "
		   "exit 9\n"
		   "done | sort | uniq -c");
	tools_check_status(&program, 0);
	CHECK(strstr(program.out, " 39 goes on\n") != NULL);
}

TEST_SECONDS(stack_takes_no_arguments, SECONDS)
{
	run_script(STACK " LOG");
	tools_check_status(&program, 2);
	tools_check_says(&program, "dext-stack: LOG: unknown argument");
}
