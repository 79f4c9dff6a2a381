/*
 * Pages of a site that were written for the C++ plugin load this file for browsers without import maps. All have them
 * now.
 */
