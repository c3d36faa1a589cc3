/* SPDX-License-Identifier: MIT
 *
 * list_test - intrusive lists.
 */
#include "test.h"

#include "base/list.h"

struct item {
	int number;
	struct dx_list link;
};

static int sum_in_order(const struct dx_list *head)
{
	int sum = 0;

	dx_list_for_each(node, head)
	{
		sum = sum * 10 + dx_list_entry(node, struct item, link)->number;
	}
	return sum;
}

TEST(list_keeps_order_of_both_ends)
{
	struct dx_list head = DX_LIST_INIT(head);
	struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};

	CHECK(dx_list_is_empty(&head));
	CHECK(dx_list_pop_front(&head) == NULL);
	dx_list_push_back(&head, &items[1].link);
	dx_list_push_back(&head, &items[2].link);
	dx_list_push_front(&head, &items[0].link);
	CHECK_EQ(sum_in_order(&head), 123);
	dx_list_remove(&items[1].link);
	dx_list_remove(&items[1].link); /* right for a node in no list */
	CHECK_EQ(sum_in_order(&head), 13);
	CHECK(dx_list_pop_front(&head) == &items[0].link);
	CHECK(!dx_list_is_empty(&head));
}

TEST(list_splice_moves_everything)
{
	struct dx_list a = DX_LIST_INIT(a);
	struct dx_list b = DX_LIST_INIT(b);
	struct item items[4] = {{.number = 1}, {.number = 2}, {.number = 3}, {.number = 4}};

	dx_list_splice_back(&a, &b);
	CHECK(dx_list_is_empty(&a));
	dx_list_push_back(&a, &items[0].link);
	dx_list_push_back(&a, &items[1].link);
	dx_list_push_back(&b, &items[2].link);
	dx_list_push_back(&b, &items[3].link);
	dx_list_splice_back(&a, &b);
	CHECK_EQ(sum_in_order(&a), 1234);
	CHECK(dx_list_is_empty(&b));
}

TEST(list_walk_may_remove_the_current_node)
{
	struct dx_list head = DX_LIST_INIT(head);
	struct item items[4] = {{.number = 1}, {.number = 2}, {.number = 3}, {.number = 4}};

	for (int i = 0; i < 4; i++) {
		dx_list_push_back(&head, &items[i].link);
	}
	dx_list_for_each_safe(node, &head)
	{
		if (dx_list_entry(node, struct item, link)->number % 2 == 0) {
			dx_list_remove(node);
		}
	}
	CHECK_EQ(sum_in_order(&head), 13);
}
