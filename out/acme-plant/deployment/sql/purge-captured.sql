:on error exit
-- Deletes what the scripts of this bundle saved for the way back: a connection string of before may hold a password (DEF-104).
-- Run with sqlcmd -b -I -f 65001. A second run changes nothing. Afterwards the rollback scripts have nothing to restore.
SET NOCOUNT ON;
SET QUOTED_IDENTIFIER ON;
SET XACT_ABORT ON;
USE [PLANT_Config];
GO
IF OBJECT_ID(N'[dbo].[cbgen_captured]', N'U') IS NOT NULL AND COL_LENGTH(N'[dbo].[cbgen_captured]', N'written_value') IS NULL
    THROW 50002, N'The table [dbo].[cbgen_captured] exists and is not the one the scripts of this bundle write.', 1;
GO
DECLARE @run nvarchar(200) = N'acme-plant 2026.12.0-rc.1';
BEGIN TRY
    BEGIN TRANSACTION;
    IF OBJECT_ID(N'[dbo].[cbgen_captured]', N'U') IS NOT NULL
    BEGIN
        DELETE FROM [dbo].[cbgen_captured] WHERE [run] = @run OR [run] LIKE N'acme-plant %';
    END
    COMMIT TRANSACTION;
END TRY
BEGIN CATCH
    IF XACT_STATE() <> 0
        ROLLBACK TRANSACTION;
    THROW;
END CATCH
GO
