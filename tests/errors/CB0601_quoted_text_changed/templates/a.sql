---
title: A note
scope: deployment
path: extra/note.sql
format: sql
effect: read
phase: prepare
---
PRINT {{ bundle.name | sql_string | replace(from="'", to="") }};
