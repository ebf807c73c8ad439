/*
 * main.c - the process that speaks to one partner's server.
 */
#include "courier/stream.h"

int main(void)
{
    return 1;
}
