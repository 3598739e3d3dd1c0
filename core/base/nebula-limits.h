/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Limits that hold everywhere. Each is enforced where its data enters, and each has a test. */

#define NEBULA_LIMIT_DEPTH 128                 /* JSON, YAML and value nesting */
#define NEBULA_LIMIT_NAME_BYTES 255            /* ids and names */
#define NEBULA_LIMIT_INLINE_BYTES 65536        /* a value above this becomes a blob */
#define NEBULA_LIMIT_STRING_BYTES 1048576      /* one inline string */
#define NEBULA_LIMIT_DOCUMENT_BYTES 10485760   /* a body or file from outside */
#define NEBULA_LIMIT_DOCUMENT_ITEMS 1000000    /* values in one such document */
#define NEBULA_LIMIT_NODES 10000               /* nodes of a workflow, by default */
#define NEBULA_LIMIT_NODES_MAX 1000000         /* nodes of a workflow, by configuration */
#define NEBULA_LIMIT_CONNECTIONS 50000         /* connections of a workflow, by default */
#define NEBULA_LIMIT_DIAGNOSTICS 100           /* problems listed at once */
#define NEBULA_LIMIT_EXPRESSION_DEPTH 64       /* nesting of an expression */
#define NEBULA_LIMIT_EXPRESSION_BYTES 10000    /* characters of an expression */
#define NEBULA_LIMIT_FUEL 10000000             /* steps of one evaluation */
#define NEBULA_LIMIT_FUEL_INLINE 10000         /* steps of one evaluation on the engine's loop */
#define NEBULA_LIMIT_EVALUATION_BYTES 8388608  /* memory of one evaluation */
#define NEBULA_LIMIT_OUTPUT_BYTES 1048576      /* data that one evaluation gives */
#define NEBULA_LIMIT_EVALUATION_USEC 5000000   /* time of one evaluation, as the last line */
#define NEBULA_LIMIT_JSONPATH_STEPS 1000000    /* values that one JSONPath query looks at */
#define NEBULA_LIMIT_SCHEMA_NODES 100000       /* schemas inside one JSON Schema, with what it refers to */
#define NEBULA_LIMIT_SCHEMA_STEPS 10000000     /* keywords that one validation looks at */
#define NEBULA_LIMIT_SCHEMA_DEPTH 1000         /* schemas in one another while a value is validated */
#define NEBULA_LIMIT_YAML_ALIASES 100          /* aliases of one document */
#define NEBULA_LIMIT_YAML_EXPANSION 10         /* times that aliases may grow a document */
#define NEBULA_LIMIT_CALL_DEPTH 100            /* nesting of sub-workflows */
#define NEBULA_LIMIT_CAUSES 32                 /* levels of context that an error keeps apart */
#define NEBULA_LIMIT_HISTORY_WARNING 50000     /* facts of one execution before a warning */
