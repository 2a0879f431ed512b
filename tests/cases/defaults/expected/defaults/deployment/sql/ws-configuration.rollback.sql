:on error exit
-- Restores the addresses of the configuration web services (SQL-1, SQL-2) that the apply script captured.
-- A value that is no longer the one the apply script wrote is left alone and reported. A second run changes nothing.
SET NOCOUNT ON;
SET QUOTED_IDENTIFIER ON;
SET XACT_ABORT ON;
USE [VHT_Config];
GO
IF COL_LENGTH(N'[dbo].[WSConfiguration]', N'WSPath') IS NULL
    THROW 50001, N'The column dbo.WSConfiguration.WSPath does not exist. Correct sql.names in the inventory.', 1;
IF OBJECT_ID(N'[dbo].[cbgen_captured]', N'U') IS NOT NULL AND COL_LENGTH(N'[dbo].[cbgen_captured]', N'written_value') IS NULL
    THROW 50002, N'The table [dbo].[cbgen_captured] exists and is not the one the apply script writes.', 1;
GO
DECLARE @run nvarchar(200) = N'defaults 1';
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
            SELECT @matches = COUNT(*), @now = MAX(CONVERT(nvarchar(4000), [WSPath]))
                FROM [dbo].[WSConfiguration] WITH (UPDLOCK, HOLDLOCK)
                WHERE [WSPath] LIKE N'%/VHACDConfigWS.asmx';
            IF @matches <> 1
                THROW 50010, N'Not exactly one row of dbo.WSConfiguration ends with /VHACDConfigWS.asmx. Nothing was changed.', 1;
            IF @now COLLATE Latin1_General_BIN2 <> @captured
            BEGIN
                IF @now COLLATE Latin1_General_BIN2 <> @written
                    THROW 50013, N'The path of VHACDConfigWS is not the one the apply script wrote. Nothing was changed.', 1;
                UPDATE [dbo].[WSConfiguration]
                    SET [WSPath] = @captured
                    WHERE [WSPath] LIKE N'%/VHACDConfigWS.asmx' AND [WSPath] = @written;
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
            SELECT @matches = COUNT(*), @now = MAX(CONVERT(nvarchar(4000), [WSPath]))
                FROM [dbo].[WSConfiguration] WITH (UPDLOCK, HOLDLOCK)
                WHERE [WSPath] LIKE N'%/VHSysConfigWS.asmx';
            IF @matches <> 1
                THROW 50010, N'Not exactly one row of dbo.WSConfiguration ends with /VHSysConfigWS.asmx. Nothing was changed.', 1;
            IF @now COLLATE Latin1_General_BIN2 <> @captured
            BEGIN
                IF @now COLLATE Latin1_General_BIN2 <> @written
                    THROW 50013, N'The path of VHSysConfigWS is not the one the apply script wrote. Nothing was changed.', 1;
                UPDATE [dbo].[WSConfiguration]
                    SET [WSPath] = @captured
                    WHERE [WSPath] LIKE N'%/VHSysConfigWS.asmx' AND [WSPath] = @written;
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
