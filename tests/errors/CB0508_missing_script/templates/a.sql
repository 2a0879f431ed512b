---
title: A change
scope: deployment
path: extra/change.sql
format: sql
effect: run_sql
phase: database
rollback: one_way
applied_by: extra/apply.cmd
---
x
