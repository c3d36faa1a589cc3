/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "build_variables.h"
#include "test.h"

static struct dx_variables variables;
static struct dx_variables_error error;

static void set(const char *pair)
{
	CHECK_EQ(dx_variables_set_pair(&variables, pair), 0);
}

static void check_value(const char *text, const char *expected)
{
	char *result = NULL;

	CHECK_EQ(dx_variables_expand_value(&variables, text, &result, &error), 0);
	CHECK_STR_EQ(result, expected);
	free(result);
}

static void check_list(const char *text, const char *expected)
{
	char *result = NULL;

	CHECK_EQ(dx_variables_expand(&variables, text, &result, &error), 0);
	CHECK_STR_EQ(result, expected);
	free(result);
}

static void check_refused(const char *text, unsigned line, const char *key, const char *part)
{
	char *result = NULL;

	CHECK_EQ(dx_variables_expand(&variables, text, &result, &error), -EINVAL);
	CHECK(result == NULL);
	CHECK_EQ(error.line, line);
	CHECK_STR_EQ(error.key, key);
	if (strstr(error.text, part) == NULL) {
		FAIL("no '%s' in '%s'", part, error.text);
	}
}

TEST(variables_are_replaced_in_both_spellings)
{
	set("NAME=value");
	check_value("a $(NAME) ${NAME} $NAME $", "a value value $NAME $");
	dx_variables_fini(&variables);
}

TEST(variables_may_name_variables)
{
	set("A=$(B)-$(C_$(WHICH))");
	set("B=b");
	set("C_x=found");
	set("WHICH=x");
	check_value("$(A)", "b-found");
	set("B=again");
	check_value("$(A)", "again-found");
	dx_variables_fini(&variables);
}

TEST(variables_in_a_circle_are_refused)
{
	set("A=$(B)");
	set("B=$(A)");
	check_refused("<key>k</key>\n$(A)", 2, "k", "is defined by itself");
	dx_variables_fini(&variables);
}

TEST(modifiers_change_the_value)
{
	set("N=1 My App.x");
	check_value("$(N:rfc1034identifier)", "1-My-App-x");
	check_value("$(N:c99extidentifier)", "__My_App_x");
	check_value("$(N:lower)", "1 my app.x");
	check_value("$(N:rfc1034identifier:upper)", "1-MY-APP-X");
	check_value("$(NOTHING:default=a thing)", "a thing");
	check_value("$(N:default=a thing)", "1 My App.x");
	dx_variables_fini(&variables);
}

TEST(modifiers_that_are_unknown_are_refused)
{
	set("N=x");
	check_refused("$(N:reverse)", 1, "", "unknown modifier ':reverse'");
	dx_variables_fini(&variables);
}

TEST(variables_that_are_not_set_are_refused_with_line_and_key)
{
	check_refused("<key>a</key>\n<string>x</string>\n<key>b</key>\n<string>$(NO)</string>", 4,
		      "b", "variable $(NO) is not set; give it with -D NO=VALUE");
}

TEST(brackets_that_do_not_close_are_refused)
{
	check_refused("<string>$(NO</string>\n)", 1, "", "without ')'");
	check_refused("\n<string>${NO</string>\n", 2, "", "without '}'");
}

TEST(comments_keep_their_variables_and_count_as_lines)
{
	check_list("<!-- $(NO)\n -->x", "<!-- $(NO)\n -->x");
	check_refused("<!-- $(NO)\n -->$(NO)", 2, "", "not set");
	check_list("<!-- never closed $(NO)", "<!-- never closed $(NO)");
}

TEST(values_cannot_leave_their_element)
{
	set("V=a</string>&<b>");
	check_list("<string>$(V)</string>", "<string>a&lt;/string&gt;&amp;&lt;b&gt;</string>");
	dx_variables_fini(&variables);
}

TEST(pairs_need_a_plain_name)
{
	CHECK_EQ(dx_variables_set_pair(&variables, "A"), -EINVAL);
	CHECK_EQ(dx_variables_set_pair(&variables, "=x"), -EINVAL);
	CHECK_EQ(dx_variables_set_pair(&variables, "A-B=x"), -EINVAL);
	CHECK_EQ(dx_variables_set_pair(&variables, "A_1="), 0);
	CHECK_STR_EQ(dx_variables_get(&variables, "A_1"), "");
	CHECK(dx_variables_get(&variables, "A") == NULL);
	dx_variables_fini(&variables);
}

static void check_template(const char *text, const char *expected)
{
	char *result = NULL;

	CHECK_EQ(dx_variables_expand_template(&variables, text, &result, &error), 0);
	CHECK_STR_EQ(result, expected);
	free(result);
}

TEST(variables_of_a_template_stand_between_at_signs)
{
	set("A=1.0");
	set("B=$(A)");
	check_template("v @A@ @B@@A@ a@b.c @ @@ $(A) @A", "v 1.0 1.01.0 a@b.c @ @@ $(A) @A");
	dx_variables_fini(&variables);
}

TEST(variables_of_a_template_that_are_not_set_are_refused_with_their_line)
{
	char *result = NULL;

	CHECK_EQ(dx_variables_expand_template(&variables, "a\n\n@NO_ONE@", &result, &error),
		 -EINVAL);
	CHECK_EQ(error.line, 3u);
	CHECK_STR_EQ(error.text, "@NO_ONE@ is not set; give it with -D NO_ONE=VALUE");
}
