@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Restores what ws-configuration.sql changed
rem Made by cbgen for any machine with sqlcmd, bundle acme-plant 2026.12.0-rc.1. Change the inventory, not this file.
rem Exit code 0: every step was done and checked. Anything else: the named step failed and nothing after it ran.
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit console would reach the 32-bit programs and registry; Sysnative is its way to the native ones.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-plant\2026.12.0-rc.1\sql"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "SERVER=SQL17.plant.acme.example,14330"
set "DATABASE=PLANT_Config"

set "STEP=find sqlcmd"
"%SYSTEM%\where.exe" sqlcmd >nul 2>&1
if "%errorlevel%"=="0" goto :sqlcmd_found
echo sqlcmd is not installed here. Run this on a machine with the Microsoft command line utilities for SQL Server.
goto :fail
:sqlcmd_found
set "STEP=find ws-configuration.rollback.sql"
if exist "%~dp0ws-configuration.rollback.sql" goto :sql_found
echo ws-configuration.rollback.sql must lie beside this script. Unpack the bundle again.
goto :fail
:sql_found
set "STEP=see that the values of before are still saved"
if not exist "%STATE%\purged.txt" goto :still_saved
echo purge-captured.cmd has deleted the values of before, so nothing is left to put back. Restore the backup of the database.
goto :fail
:still_saved
set "STEP=log in to SQL Server %SERVER% as %USERDOMAIN%\%USERNAME%"
rem sqlcmd 18 encrypts and checks the certificate of SQL Server. TRUST is an option that changes nothing, or the one that trusts it.
set "TRUST=-b"
if not defined CALLBACK_SQL_TRUST set "CALLBACK_SQL_TRUST="
if defined CALLBACK_SQL_TRUST set "TRUST=-C"
sqlcmd -S "%SERVER%" -E -b "%TRUST%" -l 15 -Q "SELECT SUSER_SNAME();" -o "%STATE%\login.txt"
if "%errorlevel%"=="0" goto :logged_in
rem unchecked: only shows the reason
type "%STATE%\login.txt"
echo The server cannot be reached, or it refuses this account. sqlcmd 18 also refuses a certificate it does not trust: give SQL
echo Server a trusted one, or set CALLBACK_SQL_TRUST to yes for this window when the network between is yours.
goto :fail
:logged_in
set "STEP=open the database %DATABASE%"
sqlcmd -S "%SERVER%" -d "%DATABASE%" -E -b "%TRUST%" -l 15 -Q "SELECT DB_NAME();" -o "%STATE%\database.txt"
if "%errorlevel%"=="0" goto :opened
rem unchecked: only shows the reason
type "%STATE%\database.txt"
echo There is no such database, or this account may not use it.
goto :fail
:opened

set "STEP=run ws-configuration.rollback.sql"
sqlcmd -S "%SERVER%" -d "%DATABASE%" -E -b "%TRUST%" -I -f 65001 -i "%~dp0ws-configuration.rollback.sql" -o "%STATE%\ws-configuration.rollback.sql.log"
set "CODE=%errorlevel%"
rem unchecked: only shows what SQL Server said
type "%STATE%\ws-configuration.rollback.sql.log"
if not "%CODE%"=="0" goto :failed
echo ws-configuration.rollback.sql was run. Log: %STATE%\ws-configuration.rollback.sql.log
endlocal
exit /b 0

:fail
set "CODE=%errorlevel%"
:failed
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. The change is one transaction: what fails in it changes nothing. Correct the cause and run this script again.
endlocal
exit /b 1


