---
title: Restore the addresses of the configuration web services
requirements: [DEF-103]
scope: deployment
path: sql/ws-configuration.rollback.sql
target: '{{ sql.config_database }}.{{ sql.ws_configuration.table }}'
format: sql
effect: read
phase: database
order: 59
rollback: none
---
:on error exit
-- Restores the addresses of the configuration web services (SQL-1, SQL-2) that the apply script captured.
-- A value that is no longer the one the apply script wrote is left alone and reported. A second run changes nothing.
SET NOCOUNT ON;
SET QUOTED_IDENTIFIER ON;
SET XACT_ABORT ON;
USE {{ sql.config_database | sql_name }};
GO
IF COL_LENGTH({{ (sql.ws_configuration.table | sql_table) | sql_string }}, {{ sql.ws_configuration.path_column | sql_string }}) IS NULL
    THROW 50001, {{ ("The column " ~ sql.ws_configuration.table ~ "." ~ sql.ws_configuration.path_column ~ " does not exist. Correct sql.names in the inventory.") | sql_string }}, 1;
IF OBJECT_ID(N'[dbo].[cbgen_captured]', N'U') IS NOT NULL AND COL_LENGTH(N'[dbo].[cbgen_captured]', N'written_value') IS NULL
    THROW 50002, N'The table [dbo].[cbgen_captured] exists and is not the one the apply script writes.', 1;
GO
DECLARE @run nvarchar(200) = {{ (bundle.name ~ " " ~ bundle.version) | sql_string }};
DECLARE @matches int;
DECLARE @changed int;
DECLARE @now nvarchar(4000);
DECLARE @captured nvarchar(4000);
DECLARE @written nvarchar(4000);
BEGIN TRY
    BEGIN TRANSACTION;
    IF OBJECT_ID(N'[dbo].[cbgen_captured]', N'U') IS NOT NULL
    BEGIN
        -- VHACDConfigWS (SQL-1).
        SELECT @matches = COUNT(*), @captured = MAX([captured_value]), @written = MAX([written_value])
            FROM [dbo].[cbgen_captured] WITH (UPDLOCK, HOLDLOCK)
            WHERE [run] = @run AND [setting] = N'VHACDConfigWS';
        IF @matches = 1
        BEGIN
            SELECT @matches = COUNT(*), @now = MAX(CONVERT(nvarchar(4000), {{ sql.ws_configuration.path_column | sql_name }}))
                FROM {{ sql.ws_configuration.table | sql_table }} WITH (UPDLOCK, HOLDLOCK)
                WHERE {{ sql.ws_configuration.path_column | sql_name }} LIKE N'%/VHACDConfigWS.asmx';
            IF @matches <> 1
                THROW 50010, {{ ("Not exactly one row of " ~ sql.ws_configuration.table ~ " ends with /VHACDConfigWS.asmx. Nothing was changed.") | sql_string }}, 1;
            IF @now COLLATE Latin1_General_BIN2 <> @captured
            BEGIN
                IF @now COLLATE Latin1_General_BIN2 <> @written
                    THROW 50013, N'The path of VHACDConfigWS is not the one the apply script wrote. Nothing was changed.', 1;
                UPDATE {{ sql.ws_configuration.table | sql_table }}
                    SET {{ sql.ws_configuration.path_column | sql_name }} = @captured
                    WHERE {{ sql.ws_configuration.path_column | sql_name }} LIKE N'%/VHACDConfigWS.asmx' AND {{ sql.ws_configuration.path_column | sql_name }} = @written;
                SET @changed = @@ROWCOUNT;
                IF @changed <> 1
                    THROW 50012, N'The path of VHACDConfigWS was not changed in exactly one row.', 1;
            END
            DELETE FROM [dbo].[cbgen_captured] WHERE [run] = @run AND [setting] = N'VHACDConfigWS';
        END

        -- VHSysConfigWS (SQL-2).
        SELECT @matches = COUNT(*), @captured = MAX([captured_value]), @written = MAX([written_value])
            FROM [dbo].[cbgen_captured] WITH (UPDLOCK, HOLDLOCK)
            WHERE [run] = @run AND [setting] = N'VHSysConfigWS';
        IF @matches = 1
        BEGIN
            SELECT @matches = COUNT(*), @now = MAX(CONVERT(nvarchar(4000), {{ sql.ws_configuration.path_column | sql_name }}))
                FROM {{ sql.ws_configuration.table | sql_table }} WITH (UPDLOCK, HOLDLOCK)
                WHERE {{ sql.ws_configuration.path_column | sql_name }} LIKE N'%/VHSysConfigWS.asmx';
            IF @matches <> 1
                THROW 50010, {{ ("Not exactly one row of " ~ sql.ws_configuration.table ~ " ends with /VHSysConfigWS.asmx. Nothing was changed.") | sql_string }}, 1;
            IF @now COLLATE Latin1_General_BIN2 <> @captured
            BEGIN
                IF @now COLLATE Latin1_General_BIN2 <> @written
                    THROW 50013, N'The path of VHSysConfigWS is not the one the apply script wrote. Nothing was changed.', 1;
                UPDATE {{ sql.ws_configuration.table | sql_table }}
                    SET {{ sql.ws_configuration.path_column | sql_name }} = @captured
                    WHERE {{ sql.ws_configuration.path_column | sql_name }} LIKE N'%/VHSysConfigWS.asmx' AND {{ sql.ws_configuration.path_column | sql_name }} = @written;
                SET @changed = @@ROWCOUNT;
                IF @changed <> 1
                    THROW 50012, N'The path of VHSysConfigWS was not changed in exactly one row.', 1;
            END
            DELETE FROM [dbo].[cbgen_captured] WHERE [run] = @run AND [setting] = N'VHSysConfigWS';
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
