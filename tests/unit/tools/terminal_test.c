/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <stdlib.h>

#include "test.h"

static char *text;
static size_t length;

static FILE *memory(void)
{
	FILE *stream = open_memstream(&text, &length);

	CHECK(stream != NULL);
	return stream;
}

TEST(terminal_styles_are_empty_for_a_file)
{
	FILE *stream = tmpfile();

	CHECK(stream != NULL);
	CHECK_STR_EQ(dx_terminal_style(stream, DX_STYLE_BOLD), "");
	CHECK_EQ(fclose(stream), 0);
}

TEST(terminal_text_of_others_has_no_control_characters)
{
	FILE *stream = memory();

	dx_terminal_print_text(stream, "a\033[2Jb\nc\x7f\xc3\xa4");
	CHECK_EQ(fclose(stream), 0);
	CHECK_STR_EQ(text, "a?[2Jb?c?\xc3\xa4");
	free(text);
}

TEST(table_columns_are_as_wide_as_their_widest_cell)
{
	static const char *const titles[] = {"id", "name"};
	FILE *stream = tmpfile();
	char buffer[200];
	struct dx_table table;
	size_t got = 0;

	CHECK(stream != NULL);
	dx_table_init(&table, titles, 2);
	CHECK_EQ(dx_table_cell(&table, "%d", 12345), 0);
	CHECK_EQ(dx_table_cell(&table, "x"), 0);
	CHECK_EQ(dx_table_cell(&table, "\xc3\xa4"), 0);
	CHECK_EQ(dx_table_cell(&table, "a\tb"), 0);
	dx_table_print(&table, stream);
	dx_table_fini(&table);
	rewind(stream);
	got = fread(buffer, 1, sizeof(buffer) - 1, stream);
	buffer[got] = '\0';
	CHECK_STR_EQ(buffer, "id     name\n12345  x\n\xc3\xa4      a?b\n");
	CHECK_EQ(fclose(stream), 0);
}

TEST(table_grows_beyond_its_first_cells)
{
	static const char *const titles[] = {"n"};
	struct dx_table table;

	dx_table_init(&table, titles, 1);
	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(dx_table_cell(&table, "%d", i), 0);
	}
	CHECK_EQ(table.nr_cells, 1000);
	CHECK_STR_EQ(table.cells[999], "999");
	dx_table_fini(&table);
}

TEST(progress_without_a_terminal_is_a_line_per_tenth)
{
	FILE *stream = tmpfile();
	struct dx_progress progress;
	char line[200];
	unsigned nr_lines = 0;

	CHECK(stream != NULL);
	dx_progress_init(&progress, stream, "work", 1000);
	for (uint64_t done = 0; done <= 1000; done += 10) {
		dx_progress_update(&progress, done);
	}
	dx_progress_update(&progress, 5000); /* more than all is all */
	dx_progress_clear(&progress);
	rewind(stream);
	while (fgets(line, sizeof(line), stream) != NULL) {
		nr_lines++;
		CHECK_EQ(strncmp(line, "work ", 5), 0);
		CHECK(strchr(line, '\033') == NULL);
	}
	CHECK_EQ(nr_lines, 10);
	CHECK(strstr(line, "100 %") != NULL);
	CHECK_EQ(fclose(stream), 0);
}

TEST(progress_that_is_hidden_prints_nothing)
{
	FILE *stream = tmpfile();
	struct dx_progress progress;

	CHECK(stream != NULL);
	dx_progress_init(&progress, stream, "work", 0); /* a total of 0 divides by nothing */
	progress.hidden = true;
	dx_progress_update(&progress, 1);
	CHECK_EQ(ftell(stream), 0);
	CHECK_EQ(fclose(stream), 0);
}
