:on error exit
-- Restores the report connection string (SQL-3, SQL-4) that the apply script captured.
-- A value that is no longer the one the apply script wrote is left alone and reported. A second run changes nothing.
SET NOCOUNT ON;
SET QUOTED_IDENTIFIER ON;
SET XACT_ABORT ON;
USE [PLANT_Config];
GO
-- The names are assumptions (DEF-67); checked in a batch of their own.
IF COL_LENGTH(N'[dbo].[ApplicationSettings]', N'Name') IS NULL
    THROW 50001, N'The column dbo.ApplicationSettings.Name does not exist. Correct sql.names in the inventory.', 1;
IF COL_LENGTH(N'[dbo].[ApplicationSettings]', N'Value') IS NULL
    THROW 50001, N'The column dbo.ApplicationSettings.Value does not exist. Correct sql.names in the inventory.', 1;
IF OBJECT_ID(N'[dbo].[cbgen_captured]', N'U') IS NOT NULL AND COL_LENGTH(N'[dbo].[cbgen_captured]', N'written_value') IS NULL
    THROW 50002, N'The table [dbo].[cbgen_captured] exists and is not the one the apply script writes.', 1;
GO
DECLARE @run nvarchar(200) = N'acme-plant 2026.12.0-rc.1';
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
            SELECT @matches = COUNT(*), @now = MAX(CONVERT(nvarchar(4000), [Value]))
                FROM [dbo].[ApplicationSettings] WITH (UPDLOCK, HOLDLOCK)
                WHERE [Name] = N'ReportDBConnectionString';
            IF @matches <> 1
                THROW 50010, N'Not exactly one row of dbo.ApplicationSettings is named ReportDBConnectionString. Nothing was changed.', 1;
            IF @now IS NULL OR @now COLLATE Latin1_General_BIN2 <> @captured
            BEGIN
                SET @kept = N';' + @now + N';';
                SET @start = CHARINDEX(N';Pass' + N'word=', @kept COLLATE Latin1_General_CI_AS);
                IF @start > 0
                    SET @kept = STUFF(@kept, @start + 10, CHARINDEX(N';', @kept, @start + 1) - @start - 10, N'***');
                IF @now IS NULL OR @kept COLLATE Latin1_General_BIN2 <> @written
                    THROW 50013, N'ReportDBConnectionString is not the one the apply script wrote. Nothing was changed.', 1;
                UPDATE [dbo].[ApplicationSettings]
                    SET [Value] = @captured
                    WHERE [Name] = N'ReportDBConnectionString' AND [Value] = @now;
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
