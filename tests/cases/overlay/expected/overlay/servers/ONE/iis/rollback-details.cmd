@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Restores what apply-details.cmd changed
rem Made by cbgen for ONE, bundle overlay 1. Change the inventory, not this file.
rem Exit code 0: every step was done and checked. Anything else: the named step failed and nothing after it ran.
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit console would reach the 32-bit programs and registry; Sysnative is its way to the native ones.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "STEP=check administrator rights"
rem Asks the filter manager, which answers administrators only. Without an answer Windows says whether rights are the reason.
"%SYSTEM%\fltmc.exe" >nul 2>&1
if "%errorlevel%"=="0" goto :elevated
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "$me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent()); if ($me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { exit 0 }; exit 3"
if "%errorlevel%"=="0" goto :elevated
if "%errorlevel%"=="3" goto :not_elevated
echo Neither the filter manager nor PowerShell answers, so nobody knows whether this command prompt has the rights of an administrator.
goto :fail
:not_elevated
echo Start the command prompt with Run as administrator, then run this script again.
goto :fail
:elevated

set "STEP=check that this is ONE"
if /i "%COMPUTERNAME%"=="ONE" goto :right_server
echo This script was made for ONE; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=find the saved state"
set "STATE=%ProgramData%\cbgen\overlay\1\details"
if exist "%STATE%\captured.txt" goto :state_ready
if exist "%STATE%\rolled-back.txt" goto :already_back
echo There is no saved state in %STATE%: this bundle has not changed this server, or what it saved was deleted, so there is nothing to take back.
goto :fail
:already_back
echo It was rolled back before. Nothing to do.
endlocal
exit /b 0
:state_ready

set "APPCMD=%SYSTEM%\inetsrv\appcmd.exe"
set "SITE=Default Web Site"
set "STEP=find IIS and its site"
if exist "%APPCMD%" goto :iis_found
echo There is no %APPCMD%. Install the IIS management tools.
goto :fail
:iis_found
"%APPCMD%" list site "%SITE%" >nul
if "%errorlevel%"=="0" goto :site_found
echo There is no site %SITE%. Correct iis.site in the inventory.
goto :fail
:site_found

set "STEP=read the saved errorMode"
if not exist "%STATE%\errorMode.txt" goto :fail
set "SAVED="
for /f "usebackq delims=" %%A in ("%STATE%\errorMode.txt") do set "SAVED=%%A"
if not defined SAVED goto :fail
set "STEP=restore errorMode of system.webServer/httpErrors"
"%APPCMD%" set config "%SITE%" "-section:system.webServer/httpErrors" "-errorMode:%SAVED%" /commit:apphost
if not "%errorlevel%"=="0" goto :fail
call :setting "%SITE%" "system.webServer/httpErrors" errorMode
if not "%errorlevel%"=="0" goto :fail
if /i not "%VALUE%"=="%SAVED%" goto :fail
set "STEP=read the saved mode"
if not exist "%STATE%\mode.txt" goto :fail
set "SAVED="
for /f "usebackq delims=" %%A in ("%STATE%\mode.txt") do set "SAVED=%%A"
if not defined SAVED goto :fail
set "STEP=restore mode of system.web/customErrors"
"%APPCMD%" set config "%SITE%" "-section:system.web/customErrors" "-mode:%SAVED%"
if not "%errorlevel%"=="0" goto :fail
call :setting "%SITE%" "system.web/customErrors" mode
if not "%errorlevel%"=="0" goto :fail
if /i not "%VALUE%"=="%SAVED%" goto :fail
set "STEP=read the saved enabled"
if not exist "%STATE%\enabled.txt" goto :fail
set "SAVED="
for /f "usebackq delims=" %%A in ("%STATE%\enabled.txt") do set "SAVED=%%A"
if not defined SAVED goto :fail
set "STEP=restore enabled of system.web/trace"
"%APPCMD%" set config "%SITE%" "-section:system.web/trace" "-enabled:%SAVED%"
if not "%errorlevel%"=="0" goto :fail
call :setting "%SITE%" "system.web/trace" enabled
if not "%errorlevel%"=="0" goto :fail
if /i not "%VALUE%"=="%SAVED%" goto :fail
set "STEP=see whether test pages called web services before"
"%SYSTEM%\findstr.exe" /l /c:"HttpPostLocalhost" "%STATE%\protocols.txt" >nul
if "%errorlevel%"=="1" goto :no_test_pages
if not "%errorlevel%"=="0" goto :fail
set "STEP=see whether they do now"
"%APPCMD%" list config "%SITE%" -section:system.web/webServices >"%STATE%\now.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /l /c:"HttpPostLocalhost" "%STATE%\now.txt" >nul
if "%errorlevel%"=="0" goto :no_test_pages
if not "%errorlevel%"=="1" goto :fail
set "STEP=let test pages call web services again"
"%APPCMD%" set config "%SITE%" -section:system.web/webServices "/+protocols.[name='HttpPostLocalhost']"
if not "%errorlevel%"=="0" goto :fail
:no_test_pages
set "STEP=note that this was rolled back"
move /y "%STATE%\captured.txt" "%STATE%\rolled-back.txt" >nul
if not "%errorlevel%"=="0" goto :fail

echo Local visitors see what they saw before.
endlocal
exit /b 0

rem Reads one attribute of a section, of the site or of an application, into VALUE.
:setting
set "VALUE="
"%APPCMD%" list config "%~1" "-section:%~2" "/text:%~3" >"%STATE%\now.txt"
if not "%errorlevel%"=="0" exit /b 1
for /f "usebackq delims=" %%A in ("%STATE%\now.txt") do set "VALUE=%%A"
exit /b 0


:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again.
endlocal
exit /b 1


