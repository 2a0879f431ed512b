---
title: A change
scope: deployment
path: extra/change.sql
format: sql
effect: run_sql
phase: database
rollback: extra/change.sql
applied_by: extra/change.sql
---
x
