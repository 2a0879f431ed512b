:on error exit
-- Makes the report connection use another OLE DB provider with Windows authentication (SQL-4, DEF-63, DEF-68).
-- Only the named parts of the stored string change; server and database stay. No secret is needed.
-- Run with sqlcmd -b -I -f 65001. A second run changes nothing.
SET NOCOUNT ON;
SET QUOTED_IDENTIFIER ON;
SET XACT_ABORT ON;
USE [VHT_Config];
GO
-- The names are assumptions (DEF-67); see why they are checked in a batch of their own in the script of SQL-1.
IF COL_LENGTH(N'[dbo].[ApplicationSettings]', N'Name') IS NULL
    THROW 50001, N'The column dbo.ApplicationSettings.Name does not exist. Correct sql.names in the inventory.', 1;
IF COL_LENGTH(N'[dbo].[ApplicationSettings]', N'Value') IS NULL
    THROW 50001, N'The column dbo.ApplicationSettings.Value does not exist. Correct sql.names in the inventory.', 1;
IF OBJECT_ID(N'[dbo].[cbgen_captured]', N'U') IS NOT NULL AND COL_LENGTH(N'[dbo].[cbgen_captured]', N'written_value') IS NULL
    THROW 50002, N'The table [dbo].[cbgen_captured] exists and is not the one this script writes.', 1;
GO
DECLARE @run nvarchar(200) = N'acme-branch 2026.12.2';
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
(1, N'Provider', N'SQLNCLI11'),
    (2, N'User ID', NULL),
    (3, N'UID', NULL),
    (4, N'Password', NULL),
    (5, N'PWD', NULL),
    (6, N'Trusted_Connection', NULL),
    (7, N'Integrated Security', N'SSPI');
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
    SELECT @matches = COUNT(*), @old = MAX(CONVERT(nvarchar(4000), [Value]))
        FROM [dbo].[ApplicationSettings] WITH (UPDLOCK, HOLDLOCK)
        WHERE [Name] = N'ReportDBConnectionString';
    IF @matches <> 1
        THROW 50010, N'Not exactly one row of dbo.ApplicationSettings is named ReportDBConnectionString. Nothing was changed.', 1;
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
        UPDATE [dbo].[ApplicationSettings]
            SET [Value] = @text
            WHERE [Name] = N'ReportDBConnectionString' AND [Value] = @old;
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
