---
title: Connection string of the reporting database
requirements: [SQL-3, SQL-4, STEP-15, DEF-63, DEF-67, DEF-68, DEF-103, DEF-104, DEF-106, DEF-114]
scope: deployment
when: sql.has_ole
path: sql/report-connection.sql
target: '{{ sql.config_database }}.{{ sql.application_settings.table }}'
format: sql
effect: run_sql
phase: database
order: 60
breaks: [web_pages]
rollback: sql/report-connection.rollback.sql
applied_by: sql/apply-report-connection.cmd
---
:on error exit
{% if sql.ole.windows_authentication -%}
-- Makes the report connection use another OLE DB provider with Windows authentication (SQL-4, DEF-63, DEF-68).
-- Only the named parts of the stored string change; server and database stay. No secret is needed.
{% else -%}
-- Makes the report connection use another OLE DB provider with a SQL login (SQL-3, DEF-63, DEF-68, DEF-104).
-- Only the named parts of the stored string change; server and database stay.
-- The caller must refuse a value with a quote before sqlcmd sees it: sqlcmd puts the value into the text as it is.
{% endif -%}
-- Run with sqlcmd -b -I -f 65001. A second run changes nothing.
{% if not sql.ole.windows_authentication -%}
-- sqlcmd variable {{ sql.ole.password_secret }}: the password of the SQL login, without quotes, braces and semicolons
{% endif -%}
SET NOCOUNT ON;
SET QUOTED_IDENTIFIER ON;
SET XACT_ABORT ON;
USE {{ sql.config_database | sql_name }};
GO
-- The names are assumptions (DEF-67); see why they are checked in a batch of their own in the script of SQL-1.
IF COL_LENGTH({{ (sql.application_settings.table | sql_table) | sql_string }}, {{ sql.application_settings.name_column | sql_string }}) IS NULL
    THROW 50001, {{ ("The column " ~ sql.application_settings.table ~ "." ~ sql.application_settings.name_column ~ " does not exist. Correct sql.names in the inventory.") | sql_string }}, 1;
IF COL_LENGTH({{ (sql.application_settings.table | sql_table) | sql_string }}, {{ sql.application_settings.value_column | sql_string }}) IS NULL
    THROW 50001, {{ ("The column " ~ sql.application_settings.table ~ "." ~ sql.application_settings.value_column ~ " does not exist. Correct sql.names in the inventory.") | sql_string }}, 1;
IF OBJECT_ID(N'[dbo].[cbgen_captured]', N'U') IS NOT NULL AND COL_LENGTH(N'[dbo].[cbgen_captured]', N'written_value') IS NULL
    THROW 50002, N'The table [dbo].[cbgen_captured] exists and is not the one this script writes.', 1;
GO
DECLARE @run nvarchar(200) = {{ (bundle.name ~ " " ~ bundle.version) | sql_string }};
{% if not sql.ole.windows_authentication -%}
DECLARE @secret nvarchar(4000) = N'$({{ sql.ole.password_secret }})';
{% endif -%}
DECLARE @matches int;
DECLARE @changed int;
DECLARE @position int = 1;
DECLARE @start int;
DECLARE @keyword nvarchar(100);
DECLARE @wanted nvarchar(400);
DECLARE @old nvarchar(4000);
DECLARE @text nvarchar(4000);
DECLARE @kept nvarchar(4000);
-- Parts of the connection string in the order in which they are written; NULL removes a part.
DECLARE @parts TABLE ([position] int NOT NULL PRIMARY KEY, [keyword] nvarchar(100) NOT NULL, [wanted] nvarchar(400) NULL);
INSERT INTO @parts ([position], [keyword], [wanted]) VALUES
{% if sql.ole.windows_authentication -%}
    (1, N'Provider', {{ sql.ole.provider | sql_string }}),
    (2, N'User ID', NULL),
    (3, N'UID', NULL),
    (4, N'Password', NULL),
    (5, N'PWD', NULL),
    (6, N'Trusted_Connection', NULL),
    (7, N'Integrated Security', N'SSPI')
{%- else -%}
    (1, N'Provider', {{ sql.ole.provider | sql_string }}),
    (2, N'Integrated Security', NULL),
    (3, N'Trusted_Connection', NULL),
    (4, N'UID', NULL),
    (5, N'PWD', NULL),
    (6, N'User ID', {{ sql.ole.user | sql_string }}),
    (7, N'Password', @secret)
{%- endif -%}
{% if sql.ole.encrypt -%}
,
    (8, N'Use Encryption for Data', N'True')
{%- endif -%}
;
BEGIN TRY
{% if not sql.ole.windows_authentication -%}
    IF LEN(@secret) NOT BETWEEN 1 AND 128 OR @secret LIKE N'%[;''"{}]%' OR @secret <> LTRIM(@secret) OR RIGHT(@secret, 1) = N' '
        OR @secret LIKE N'%[' + NCHAR(1) + N'-' + NCHAR(31) + N']%' COLLATE Latin1_General_BIN2
        THROW 50023, N'{{ sql.ole.password_secret }} is empty, too long, or holds a quote, brace, semicolon, control character or blank at an edge.', 1;
{% endif -%}
    BEGIN TRANSACTION;
    IF OBJECT_ID(N'[dbo].[cbgen_captured]', N'U') IS NULL
        CREATE TABLE [dbo].[cbgen_captured] (
            [run] nvarchar(200) NOT NULL,
            [setting] nvarchar(200) NOT NULL,
            [captured_value] nvarchar(4000) NOT NULL,
            [written_value] nvarchar(4000) NOT NULL,
            PRIMARY KEY ([run], [setting])
        );
    SELECT @matches = COUNT(*), @old = MAX(CONVERT(nvarchar(4000), {{ sql.application_settings.value_column | sql_name }}))
        FROM {{ sql.application_settings.table | sql_table }} WITH (UPDLOCK, HOLDLOCK)
        WHERE {{ sql.application_settings.name_column | sql_name }} = N'ReportDBConnectionString';
    IF @matches <> 1
        THROW 50010, {{ ("Not exactly one row of " ~ sql.application_settings.table ~ " is named ReportDBConnectionString. Nothing was changed.") | sql_string }}, 1;
    -- Quotes, and blanks beside ; or =, would need the whole grammar of OLE DB.
    IF @old IS NULL OR @old LIKE N'%["''{}]%' OR @old LIKE N'%; %' OR @old LIKE N'% [;=]%' OR @old LIKE N'%= %'
        THROW 50020, N'The stored ReportDBConnectionString has quotes or blanks this script does not read. Change it by hand.', 1;
    IF N';' + @old COLLATE Latin1_General_CI_AS NOT LIKE N'%;Provider=%'
        THROW 50021, N'The stored ReportDBConnectionString has no Provider, so it is not for OLE DB. Nothing was changed.', 1;

    SET @text = N';' + @old + CASE WHEN RIGHT(@old, 1) = N';' THEN N'' ELSE N';' END;
    WHILE @position <= (SELECT MAX([position]) FROM @parts)
    BEGIN
        SELECT @keyword = N';' + [keyword] + N'=', @wanted = [wanted] FROM @parts WHERE [position] = @position;
        SET @start = CHARINDEX(@keyword, @text COLLATE Latin1_General_CI_AS);
        IF @start > 0
            SET @text = STUFF(@text, @start, CHARINDEX(N';', @text, @start + 1) - @start, COALESCE(@keyword + @wanted, N''));
        ELSE
            SET @text = @text + COALESCE(STUFF(@keyword, 1, 1, N'') + @wanted + N';', N'');
        IF CHARINDEX(@keyword, @text COLLATE Latin1_General_CI_AS, CASE WHEN @wanted IS NULL THEN 1 ELSE @start + 1 END) > 0 AND @start > 0
            THROW 50022, N'The stored ReportDBConnectionString names a part twice. Change it by hand.', 1;
        SET @position = @position + 1;
    END
    SET @text = SUBSTRING(@text, 2, LEN(@text) - 2);
    -- The note of what was written is compared on the way back; it holds no password.
    SET @kept = N';' + @text + N';';
    SET @start = CHARINDEX(N';Pass' + N'word=', @kept COLLATE Latin1_General_CI_AS);
    IF @start > 0
        SET @kept = STUFF(@kept, @start + 10, CHARINDEX(N';', @kept, @start + 1) - @start - 10, N'***');

    IF @old COLLATE Latin1_General_BIN2 <> @text
    BEGIN
        IF EXISTS (SELECT 1 FROM [dbo].[cbgen_captured] WHERE [run] = @run AND [setting] = N'ReportDBConnectionString')
            THROW 50011, N'ReportDBConnectionString was changed after this bundle had been applied. Roll back first.', 1;
        INSERT INTO [dbo].[cbgen_captured] ([run], [setting], [captured_value], [written_value])
            VALUES (@run, N'ReportDBConnectionString', @old, @kept);
        UPDATE {{ sql.application_settings.table | sql_table }}
            SET {{ sql.application_settings.value_column | sql_name }} = @text
            WHERE {{ sql.application_settings.name_column | sql_name }} = N'ReportDBConnectionString' AND {{ sql.application_settings.value_column | sql_name }} = @old;
        SET @changed = @@ROWCOUNT;
        IF @changed <> 1
            THROW 50012, N'ReportDBConnectionString was not changed in exactly one row.', 1;
    END
    COMMIT TRANSACTION;
END TRY
BEGIN CATCH
    IF XACT_STATE() <> 0
        ROLLBACK TRANSACTION;
    THROW;
END CATCH
GO
