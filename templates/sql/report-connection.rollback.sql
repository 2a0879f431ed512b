---
title: Restore the connection string of the reporting database
requirements: [DEF-103]
scope: deployment
when: sql.has_ole
path: sql/report-connection.rollback.sql
target: '{{ sql.config_database }}.{{ sql.application_settings.table }}'
format: sql
effect: read
phase: database
order: 69
rollback: none
---
:on error exit
-- Restores the report connection string (SQL-3, SQL-4) that the apply script captured.
-- A value that is no longer the one the apply script wrote is left alone and reported. A second run changes nothing.
SET NOCOUNT ON;
SET QUOTED_IDENTIFIER ON;
SET XACT_ABORT ON;
USE {{ sql.config_database | sql_name }};
GO
-- The names are assumptions (DEF-67); checked in a batch of their own.
IF COL_LENGTH({{ (sql.application_settings.table | sql_table) | sql_string }}, {{ sql.application_settings.name_column | sql_string }}) IS NULL
    THROW 50001, {{ ("The column " ~ sql.application_settings.table ~ "." ~ sql.application_settings.name_column ~ " does not exist. Correct sql.names in the inventory.") | sql_string }}, 1;
IF COL_LENGTH({{ (sql.application_settings.table | sql_table) | sql_string }}, {{ sql.application_settings.value_column | sql_string }}) IS NULL
    THROW 50001, {{ ("The column " ~ sql.application_settings.table ~ "." ~ sql.application_settings.value_column ~ " does not exist. Correct sql.names in the inventory.") | sql_string }}, 1;
IF OBJECT_ID(N'[dbo].[cbgen_captured]', N'U') IS NOT NULL AND COL_LENGTH(N'[dbo].[cbgen_captured]', N'written_value') IS NULL
    THROW 50002, N'The table [dbo].[cbgen_captured] exists and is not the one the apply script writes.', 1;
GO
DECLARE @run nvarchar(200) = {{ (bundle.name ~ " " ~ bundle.version) | sql_string }};
DECLARE @matches int;
DECLARE @changed int;
DECLARE @start int;
DECLARE @now nvarchar(4000);
DECLARE @kept nvarchar(4000);
DECLARE @captured nvarchar(4000);
DECLARE @written nvarchar(4000);
BEGIN TRY
    BEGIN TRANSACTION;
    IF OBJECT_ID(N'[dbo].[cbgen_captured]', N'U') IS NOT NULL
    BEGIN
        SELECT @matches = COUNT(*), @captured = MAX([captured_value]), @written = MAX([written_value])
            FROM [dbo].[cbgen_captured] WITH (UPDLOCK, HOLDLOCK)
            WHERE [run] = @run AND [setting] = N'ReportDBConnectionString';
        IF @matches = 1
        BEGIN
            SELECT @matches = COUNT(*), @now = MAX(CONVERT(nvarchar(4000), {{ sql.application_settings.value_column | sql_name }}))
                FROM {{ sql.application_settings.table | sql_table }} WITH (UPDLOCK, HOLDLOCK)
                WHERE {{ sql.application_settings.name_column | sql_name }} = N'ReportDBConnectionString';
            IF @matches <> 1
                THROW 50010, {{ ("Not exactly one row of " ~ sql.application_settings.table ~ " is named ReportDBConnectionString. Nothing was changed.") | sql_string }}, 1;
            IF @now IS NULL OR @now COLLATE Latin1_General_BIN2 <> @captured
            BEGIN
                SET @kept = N';' + @now + N';';
                SET @start = CHARINDEX(N';Pass' + N'word=', @kept COLLATE Latin1_General_CI_AS);
                IF @start > 0
                    SET @kept = STUFF(@kept, @start + 10, CHARINDEX(N';', @kept, @start + 1) - @start - 10, N'***');
                IF @now IS NULL OR @kept COLLATE Latin1_General_BIN2 <> @written
                    THROW 50013, N'ReportDBConnectionString is not the one the apply script wrote. Nothing was changed.', 1;
                UPDATE {{ sql.application_settings.table | sql_table }}
                    SET {{ sql.application_settings.value_column | sql_name }} = @captured
                    WHERE {{ sql.application_settings.name_column | sql_name }} = N'ReportDBConnectionString' AND {{ sql.application_settings.value_column | sql_name }} = @now;
                SET @changed = @@ROWCOUNT;
                IF @changed <> 1
                    THROW 50012, N'ReportDBConnectionString was not changed in exactly one row.', 1;
            END
            -- The captured string may hold a password; it does not stay behind.
            DELETE FROM [dbo].[cbgen_captured] WHERE [run] = @run AND [setting] = N'ReportDBConnectionString';
        END
    END
    COMMIT TRANSACTION;
END TRY
BEGIN CATCH
    IF XACT_STATE() <> 0
        ROLLBACK TRANSACTION;
    THROW;
END CATCH
GO
