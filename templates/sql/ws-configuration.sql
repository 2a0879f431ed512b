---
title: Addresses of the configuration web services
requirements: [SQL-1, SQL-2, SQL-6, DEF-45, DEF-67, DEF-103]
scope: deployment
path: sql/ws-configuration.sql
target: '{{ sql.config_database }}.{{ sql.ws_configuration.table }}'
format: sql
effect: run_sql
phase: database
order: 50
breaks: [callbacks, web_pages]
rollback: sql/ws-configuration.rollback.sql
applied_by: sql/apply-ws-configuration.cmd
---
:on error exit
-- Sets the addresses of the configuration web services (SQL-1, SQL-2).
-- Run with sqlcmd -b -I -f 65001. A second run changes nothing.
SET NOCOUNT ON;
SET QUOTED_IDENTIFIER ON;
SET XACT_ABORT ON;
USE {{ sql.config_database | sql_name }};
GO
-- The names are assumptions (DEF-67). They are checked in a batch of their own: the server binds the columns of an
-- existing table when it compiles a batch, so that a wrong name in the next one would hide these messages.
IF COL_LENGTH({{ (sql.ws_configuration.table | sql_table) | sql_string }}, {{ sql.ws_configuration.path_column | sql_string }}) IS NULL
    THROW 50001, {{ ("The column " ~ sql.ws_configuration.table ~ "." ~ sql.ws_configuration.path_column ~ " does not exist. Correct sql.names in the inventory.") | sql_string }}, 1;
IF OBJECT_ID(N'[dbo].[cbgen_captured]', N'U') IS NOT NULL AND COL_LENGTH(N'[dbo].[cbgen_captured]', N'written_value') IS NULL
    THROW 50002, N'The table [dbo].[cbgen_captured] exists and is not the one this script writes.', 1;
GO
DECLARE @run nvarchar(200) = {{ (bundle.name ~ " " ~ bundle.version) | sql_string }};
DECLARE @matches int;
DECLARE @changed int;
DECLARE @old nvarchar(4000);
DECLARE @new nvarchar(4000);
BEGIN TRY
    BEGIN TRANSACTION;
    IF OBJECT_ID(N'[dbo].[cbgen_captured]', N'U') IS NULL
        CREATE TABLE [dbo].[cbgen_captured] (
            [run] nvarchar(200) NOT NULL,
            [setting] nvarchar(200) NOT NULL,
            [captured_value] nvarchar(4000) NOT NULL,
            [written_value] nvarchar(4000) NOT NULL,
            PRIMARY KEY ([run], [setting])
        );

    -- VHACDConfigWS (SQL-1). The row is known by the service at the end of its old value (DEF-45).
    SET @new = N'http://127.0.0.1/VHACDConfigWS/VHACDConfigWS.asmx';
    SELECT @matches = COUNT(*), @old = MAX(CONVERT(nvarchar(4000), {{ sql.ws_configuration.path_column | sql_name }}))
        FROM {{ sql.ws_configuration.table | sql_table }} WITH (UPDLOCK, HOLDLOCK)
        WHERE {{ sql.ws_configuration.path_column | sql_name }} LIKE N'%/VHACDConfigWS.asmx';
    IF @matches <> 1
        THROW 50010, {{ ("Not exactly one row of " ~ sql.ws_configuration.table ~ " ends with /VHACDConfigWS.asmx. Nothing was changed.") | sql_string }}, 1;
    IF @old COLLATE Latin1_General_BIN2 <> @new
    BEGIN
        IF EXISTS (SELECT 1 FROM [dbo].[cbgen_captured] WHERE [run] = @run AND [setting] = N'VHACDConfigWS')
            THROW 50011, N'The path of VHACDConfigWS was changed after this bundle had been applied. Roll back first.', 1;
        INSERT INTO [dbo].[cbgen_captured] ([run], [setting], [captured_value], [written_value])
            VALUES (@run, N'VHACDConfigWS', @old, @new);
        UPDATE {{ sql.ws_configuration.table | sql_table }}
            SET {{ sql.ws_configuration.path_column | sql_name }} = @new
            WHERE {{ sql.ws_configuration.path_column | sql_name }} LIKE N'%/VHACDConfigWS.asmx' AND {{ sql.ws_configuration.path_column | sql_name }} = @old;
        SET @changed = @@ROWCOUNT;
        IF @changed <> 1
            THROW 50012, N'The path of VHACDConfigWS was not changed in exactly one row.', 1;
    END

    -- VHSysConfigWS (SQL-2).
    SET @new = N'http://127.0.0.1/VHSysConfigWS/VHSysConfigWS.asmx';
    SELECT @matches = COUNT(*), @old = MAX(CONVERT(nvarchar(4000), {{ sql.ws_configuration.path_column | sql_name }}))
        FROM {{ sql.ws_configuration.table | sql_table }} WITH (UPDLOCK, HOLDLOCK)
        WHERE {{ sql.ws_configuration.path_column | sql_name }} LIKE N'%/VHSysConfigWS.asmx';
    IF @matches <> 1
        THROW 50010, {{ ("Not exactly one row of " ~ sql.ws_configuration.table ~ " ends with /VHSysConfigWS.asmx. Nothing was changed.") | sql_string }}, 1;
    IF @old COLLATE Latin1_General_BIN2 <> @new
    BEGIN
        IF EXISTS (SELECT 1 FROM [dbo].[cbgen_captured] WHERE [run] = @run AND [setting] = N'VHSysConfigWS')
            THROW 50011, N'The path of VHSysConfigWS was changed after this bundle had been applied. Roll back first.', 1;
        INSERT INTO [dbo].[cbgen_captured] ([run], [setting], [captured_value], [written_value])
            VALUES (@run, N'VHSysConfigWS', @old, @new);
        UPDATE {{ sql.ws_configuration.table | sql_table }}
            SET {{ sql.ws_configuration.path_column | sql_name }} = @new
            WHERE {{ sql.ws_configuration.path_column | sql_name }} LIKE N'%/VHSysConfigWS.asmx' AND {{ sql.ws_configuration.path_column | sql_name }} = @old;
        SET @changed = @@ROWCOUNT;
        IF @changed <> 1
            THROW 50012, N'The path of VHSysConfigWS was not changed in exactly one row.', 1;
    END
    COMMIT TRANSACTION;
END TRY
BEGIN CATCH
    IF XACT_STATE() <> 0
        ROLLBACK TRANSACTION;
    THROW;
END CATCH
GO
